/*
 * json.c - any bytes as JSON: what is read is printed and read again without a
 * change, on one line or indented, whatever it is inside of.
 */
#include "data/json.h"

#include "fuzz.h"
#include "sys/exit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gp_err err = {0};
	struct gp_json *json = gp_json_parse((const char *)data, size, &err), *array, *again;
	char *text, *twice;

	if (!json) {
		FUZZ_HOLDS(err.code == GP_EXIT_INPUT && *err.message && fuzz_is_printable(err.message));
		return 0;
	}
	array = gp_json_array();
	gp_json_append(array, gp_json_copy(json));
	gp_json_append(array, json);
	text = gp_json_print(array);
	again = gp_json_parse(text, strlen(text), &err);
	if (!again) {
		/* It was as deep as it may be already. */
		FUZZ_HOLDS(strstr(err.message, "nested too deeply"));
	} else {
		twice = gp_json_print(again);
		FUZZ_HOLDS(!strcmp(text, twice));
		free(twice);
		gp_json_free(again);
	}
	FUZZ_HOLDS(fuzz_is_printable(text));
	free(text);
	gp_json_free(array);
	return 0;
}
