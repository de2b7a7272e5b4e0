/*
 * api-azdo.c - any bytes as Azure DevOps's answers to an operation: it ends with
 * an error, or with a result as gp-forge(7) promises it, and the token goes
 * nowhere else.
 */
#include "http-replies.h"

#include "forges/azdo/driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	http_play(data, size, &gp_azdo_driver, "http://127.0.0.1:1/acme/shop%20project/_git/shop");
	return 0;
}
