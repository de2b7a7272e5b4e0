/*
 * image.c - two strings, as an image reference and as a version: what is taken
 * apart is put together again, and a version that was set is there.
 */
#include "setter/image.h"

#include "fuzz.h"
#include "setter/setter.h"
#include "sys/mem.h"

static void check_version(const struct gp_version *v, const char *text)
{
	char *again = gp_asprintf("%.*s%s%.*s", (int)v->tag_len, v->tag, v->tag_len && v->digest_len ? "@" : "",
				  (int)v->digest_len, v->digest);

	FUZZ_HOLDS(v->tag_len + v->digest_len > 0 && !strcmp(again, text));
	FUZZ_HOLDS(strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+:=@") ==
		   strlen(text));
	FUZZ_HOLDS(v->tag_len <= 128);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *image = fuzz_next_text(&data, &size), *text = fuzz_next_text(&data, &size), *again;
	struct gp_version old, version, set;
	size_t len, again_len;
	bool is_image = gp_image_parse(image, &len, &old), is_version = gp_version_parse(&version, text);

	FUZZ_HOLDS(len <= strlen(image) && is_version == gp_tag_valid(text));
	if (is_version)
		check_version(&version, text);
	if (is_image) {
		again = gp_image_at(image, len, &old);
		FUZZ_HOLDS(!strcmp(again, image));
		free(again);
	}
	if (is_image && is_version) {
		again = gp_image_at(image, len, &version);
		FUZZ_HOLDS(gp_image_parse(again, &again_len, &set) && again_len == len && !strncmp(again, image, len));
		FUZZ_HOLDS(set.tag_len == version.tag_len && !strncmp(set.tag, version.tag, set.tag_len));
		FUZZ_HOLDS(set.digest_len == version.digest_len &&
			   !strncmp(set.digest, version.digest, set.digest_len));
		free(again);
	}
	free(text);
	free(image);
	return 0;
}
