// SPDX-License-Identifier: Apache-2.0
/* Tests fornix convert. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/ffnmodel.h"
#include "support/images.h"
#include "support/tf_checkpoint.h"

/* Runs "fornix convert ARGUMENTS" in the folder @p dir. */
static void expect(const char *dir, const char *arguments, int code, const char *says)
{
	const char *program = getenv("FORNIX_BIN");
	char *command = fx_asprintf("cd '%s' && '%s' convert %s 2>&1", dir,
				    program ? program : "fornix", arguments);
	FILE *out = command ? popen(command, "r") : NULL;
	char text[4096];
	size_t len;
	int status;

	assert_non_null(out);
	len = fread(text, 1, sizeof text - 1, out);
	text[len] = 0;
	status = pclose(out);
	free(command);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != code || !strstr(text, says))
		fail_msg("convert %s: ended with %d, said: %s", arguments, status, text);
}

static void a_checkpoint_becomes_a_model(void **unused)
{
	char *dir = test_tmp_dir(), *names;
	struct fx_ffn_model m = { 0 };
	struct fx_error err = { 0 };
	float *values;
	size_t len;
	struct tf_tensor *t = test_tf_ffn(2, 4, &len, &values, &names);

	(void)unused;
	test_tf_write(test_path(dir, "model.ckpt-12"), t, len);
	expect(dir,
	       "model.ckpt-12 out.safetensors --arch ffn --fov 17,33,33 --deltas 4,8,8 "
	       "--mean 128 --stddev 33 --voxel 20,9,9",
	       0, "2 modules of 4 features, field of view 17,33,33, moves 4,8,8");
	if (fx_ffn_model_read(&m, test_path(dir, "out.safetensors"), &err))
		fail_msg("%s", err.text);
	assert_true(m.depth == 2 && m.features == 4 && m.voxel_nm[0] == 20 && m.deltas[0] == 4);
	fx_ffn_model_fini(&m);
	expect(dir, "model.ckpt-12 out.safetensors", 2, "--arch is missing: there is ffn");
	expect(dir, "model.ckpt-12 out.safetensors --arch unet", 2, "--arch is unet");
	expect(dir, "model.ckpt-13 out.safetensors --arch ffn", 2, "model.ckpt-13.index");
	expect(dir, "model.ckpt-12 out.safetensors --arch ffn --fov 1,2", 2, "three numbers");
	expect(dir, "model.ckpt-12 bad.safetensors --arch ffn --fov 32,33,33", 1, "must be odd");
	assert_int_not_equal(access(test_path(dir, "bad.safetensors"), F_OK), 0);
	free(t);
	free(values);
	free(names);
	fx_remove_tree(dir, NULL);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_checkpoint_becomes_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
