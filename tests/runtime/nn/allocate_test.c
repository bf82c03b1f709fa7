// SPDX-License-Identifier: Apache-2.0
/* A step of training allocates nothing. Linked so that calls of the allocator come here first. */
#include "support/test.h"

#include "support/train.h"

static size_t calls;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);

void *__wrap_malloc(size_t size)
{
	calls++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	calls++;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	calls++;
	return __real_realloc(p, size);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
	calls++;
	return __real_aligned_alloc(align, size);
}

static void check(struct train t)
{
	size_t before;

	assert_true(calls > 10); /* the count works */
	before = calls;
	for (int i = 0; i < 3; i++)
		train_step(&t, 0.01);
	assert_int_equal(calls, before);
	train_free(&t);
}

static void steps_allocate_nothing(void **unused)
{
	(void)unused;
	check(train_mlp(0.2));
	check(train_unet(8));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(steps_allocate_nothing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
