// SPDX-License-Identifier: Apache-2.0
/* assign.c: who goes with whom, so that the costs are least. */
#include "kernels/assign.h"

#include <fornix/error.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"

/* Rows and columns count from 1: 0 stands for "none yet". */
struct assign {
	const double *costs;
	size_t rows, columns;
	double *row_price, *column_price; /* owned: potentials */
	double *slack;			  /* owned: by column, least reduced cost from the tree */
	size_t *row_of;			  /* owned: row that has the column */
	size_t *before;			  /* owned: column that the way to this one comes from */
	bool *reached;			  /* owned: columns in the tree */
};

static void assign_fini(struct assign *a)
{
	free(a->row_price);
	free(a->column_price);
	free(a->slack);
	free(a->row_of);
	free(a->before);
	free(a->reached);
}

static bool assign_open(struct assign *a)
{
	a->row_price = fx_calloc(a->rows + 1, sizeof *a->row_price);
	a->column_price = fx_calloc(a->columns + 1, sizeof *a->column_price);
	a->slack = fx_calloc(a->columns + 1, sizeof *a->slack);
	a->row_of = fx_calloc(a->columns + 1, sizeof *a->row_of);
	a->before = fx_calloc(a->columns + 1, sizeof *a->before);
	a->reached = fx_calloc(a->columns + 1, sizeof *a->reached);
	return a->row_price && a->column_price && a->slack && a->row_of && a->before && a->reached;
}

/* Lowers slack by what the row of column `at` offers; gives the free column that is nearest. */
static size_t assign_look(struct assign *a, size_t at, double *least)
{
	const size_t row = a->row_of[at];
	size_t next = 0;

	*least = (double)INFINITY;
	for (size_t c = 1; c <= a->columns; c++) {
		const double reduced = a->costs[(row - 1) * a->columns + c - 1] -
				       a->row_price[row] - a->column_price[c];

		if (a->reached[c])
			continue;
		if (reduced < a->slack[c]) {
			a->slack[c] = reduced;
			a->before[c] = at;
		}
		if (a->slack[c] < *least) {
			*least = a->slack[c];
			next = c;
		}
	}
	return next;
}

static void assign_pay(struct assign *a, double price)
{
	for (size_t c = 0; c <= a->columns; c++) {
		if (a->reached[c]) {
			a->row_price[a->row_of[c]] += price;
			a->column_price[c] -= price;
		} else {
			a->slack[c] -= price;
		}
	}
}

/* Finds a column for one more row, moving others along the way that costs least. */
static void assign_row(struct assign *a, size_t row)
{
	size_t at = 0;

	a->row_of[0] = row;
	for (size_t c = 0; c <= a->columns; c++) {
		a->slack[c] = (double)INFINITY;
		a->reached[c] = false;
	}
	do {
		double least;
		size_t next;

		a->reached[at] = true;
		next = assign_look(a, at, &least);
		assign_pay(a, least);
		at = next;
	} while (a->row_of[at]);
	while (at) {
		a->row_of[at] = a->row_of[a->before[at]];
		at = a->before[at];
	}
}

int fx_assign(const double *costs, size_t rows, size_t columns, size_t *column)
{
	struct assign a = { .costs = costs, .rows = rows, .columns = columns };
	int rc = FX_OK;

	if (rows > columns)
		return FX_EINVAL;
	for (size_t i = 0; i < rows * columns; i++)
		if (!isfinite(costs[i]))
			return FX_EINVAL;
	if (!assign_open(&a))
		rc = FX_ENOMEM;
	for (size_t r = 1; rc == FX_OK && r <= rows; r++)
		assign_row(&a, r);
	for (size_t c = 1; rc == FX_OK && c <= columns; c++)
		if (a.row_of[c])
			column[a.row_of[c] - 1] = c - 1;
	assign_fini(&a);
	return rc;
}
