// SPDX-License-Identifier: Apache-2.0
/* wire.c: messages to header bytes and back. */
#include "wire/wire.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto/block.pb-c.h"
#include "wire/frame.h"
#include "wire/unpack.h"

enum {
	CHANNELS_MAX = 256,
	LEVEL_MAX = 31,
	FIELDS_MAX = 1024,
	COLUMNS_MAX = 64,
	SLOT_MAX = 1 << 16,
};
static const int64_t coordinate_max = (int64_t)1 << 40;

static_assert(sizeof(struct fx_tree_node) == 40, "a tree node is 40 bytes on the wire");

size_t fx_wire_payload_size(enum fx_kind kind, const void *message)
{
	if (kind == FX_BLOCK)
		return fx_block_size(message);
	if (kind == FX_TREE)
		return ((const struct fx_tree *)message)->len * sizeof(struct fx_tree_node);
	if (kind == FX_RECORD) {
		const struct fx_record *r = message;

		return r->rows * r->columns * sizeof *r->table;
	}
	return 0;
}

const void *fx_wire_payload(enum fx_kind kind, const void *message)
{
	if (kind == FX_BLOCK)
		return ((const struct fx_block *)message)->data;
	if (kind == FX_TREE)
		return ((const struct fx_tree *)message)->nodes;
	if (kind == FX_RECORD)
		return ((const struct fx_record *)message)->table;
	return NULL;
}

static bool valid_region(const Fornix__Region *w)
{
	if (!w || w->n_lo != 3 || w->n_hi != 3)
		return false;
	for (int a = 0; a < 3; a++)
		if (w->lo[a] < -coordinate_max || w->lo[a] > coordinate_max ||
		    w->hi[a] < -coordinate_max || w->hi[a] > coordinate_max)
			return false;
	return true;
}

static bool valid_voxel(size_t n, const double *v)
{
	return n == 3 && isfinite(v[0]) && isfinite(v[1]) && isfinite(v[2]) && v[0] > 0 &&
	       v[1] > 0 && v[2] > 0;
}

/* Bytes of the block's voxels; 0 when anything is out of bounds. */
static size_t valid_block(const Fornix__Block *w)
{
	size_t size = fx_dtype_size((enum fx_dtype)w->dtype);

	if (w->role > FX_MASK || w->channels < 1 || w->channels > CHANNELS_MAX ||
	    w->level > LEVEL_MAX || w->n_origin != 3 || w->n_shape != 3 || w->n_halo_lo != 3 ||
	    w->n_halo_hi != 3 || !valid_voxel(w->n_voxel_nm, w->voxel_nm))
		return 0;
	size *= w->channels;
	for (int a = 0; a < 3; a++) {
		if (w->origin[a] < -coordinate_max || w->origin[a] > coordinate_max ||
		    (uint64_t)w->halo_lo[a] + w->halo_hi[a] >= w->shape[a] ||
		    w->shape[a] > FX_WIRE_PAYLOAD_MAX || !fx_mul_size(size, w->shape[a], &size) ||
		    size > FX_WIRE_PAYLOAD_MAX)
			return 0;
	}
	return size;
}

static bool valid_record(const Fornix__Record *w, size_t payload_size)
{
	return valid_region(w->region) && w->n_fields <= FIELDS_MAX && w->columns <= COLUMNS_MAX &&
	       w->rows <= FX_WIRE_PAYLOAD_MAX / 8 && (!w->rows || w->columns) &&
	       w->rows * w->columns * 8 == payload_size;
}

static bool valid_mark(const Fornix__Mark *w)
{
	return w->kind >= FX_MARK_OPEN && w->kind <= FX_MARK_SKIP && valid_region(w->region) &&
	       (w->kind != FX_MARK_OPEN || (valid_voxel(w->n_voxel_nm, w->voxel_nm) &&
					    fx_dtype_size((enum fx_dtype)w->dtype)));
}

static int check_nodes(const struct fx_tree *t, struct fx_error *err)
{
	for (size_t i = 0; i < t->len; i++) {
		const struct fx_tree_node *n = &t->nodes[i];

		if (n->parent < -1 || n->parent >= (int64_t)i || !isfinite(n->radius_nm) ||
		    !isfinite(n->pos_nm[0] + n->pos_nm[1] + n->pos_nm[2]))
			return fx_error_set(err, FX_ETYPE, "a tree whose node %zu is wrong", i);
	}
	return FX_OK;
}

/* Encoding refuses what decoding would: a message that no one takes would be waited for for ever.
 */

static void region_to_wire(Fornix__Region *w, struct fx_region *r)
{
	fornix__region__init(w);
	w->n_lo = w->n_hi = 3;
	w->lo = r->lo;
	w->hi = r->hi;
}

static int encode_block(Fornix__Header *h, const struct fx_block *b, void **bytes, size_t *size,
			struct fx_error *err)
{
	Fornix__Block w;
	struct fx_block copy = *b;
	uint64_t shape[3] = { b->shape[0], b->shape[1], b->shape[2] };

	fornix__block__init(&w);
	w.dtype = (uint32_t)b->dtype;
	w.role = (uint32_t)b->role;
	w.channels = b->channels;
	w.level = b->level;
	w.n_origin = w.n_shape = w.n_halo_lo = w.n_halo_hi = w.n_voxel_nm = 3;
	w.origin = copy.origin;
	w.shape = shape;
	w.halo_lo = copy.halo_lo;
	w.halo_hi = copy.halo_hi;
	w.voxel_nm = copy.voxel_nm;
	if (!valid_block(&w))
		return fx_error_set(
			err, FX_EINVAL,
			"a block whose geometry is out of bounds: %zu %zu %zu voxels of %g "
			"%g %g nm, %u channels",
			b->shape[0], b->shape[1], b->shape[2], b->voxel_nm[0], b->voxel_nm[1],
			b->voxel_nm[2], b->channels);
	h->body_case = FORNIX__HEADER__BODY_BLOCK;
	h->block = &w;
	return fx__frame_pack(FX__FRAME_HEADER, &h->base, bytes, size, err);
}

static int encode_tree(Fornix__Header *h, const struct fx_tree *t, void **bytes, size_t *size,
		       struct fx_error *err)
{
	Fornix__Tree w;

	fornix__tree__init(&w);
	if (!isfinite(t->confidence))
		return fx_error_set(err, FX_EINVAL, "a tree whose confidence is not a number");
	if (check_nodes(t, err) < 0)
		return FX_EINVAL;
	w.segment = t->segment;
	w.confidence = t->confidence;
	w.len = t->len;
	h->body_case = FORNIX__HEADER__BODY_TREE;
	h->tree = &w;
	return fx__frame_pack(FX__FRAME_HEADER, &h->base, bytes, size, err);
}

static int encode_record(Fornix__Header *h, const struct fx_record *r, void **bytes, size_t *size,
			 struct fx_error *err)
{
	Fornix__Record w;
	Fornix__Region region;
	struct fx_region copy = r->region;
	Fornix__Field *fields = fx_calloc(r->fields_len, sizeof *fields);
	Fornix__Field **list = fx_calloc(r->fields_len, sizeof(Fornix__Field *));
	int result = FX_OK;

	fornix__record__init(&w);
	if (!fields || !list)
		result = fx_error_set(err, FX_ENOMEM, "no memory for a record");
	if (result < 0)
		goto done;
	for (size_t i = 0; i < r->fields_len; i++) {
		fornix__field__init(&fields[i]);
		fields[i].name = r->fields[i].name;
		fields[i].number = r->fields[i].number;
		fields[i].is_text = r->fields[i].text != NULL;
		if (r->fields[i].text)
			fields[i].text = r->fields[i].text;
		list[i] = &fields[i];
	}
	region_to_wire(&region, &copy);
	w.kind = r->kind;
	w.region = &region;
	w.n_fields = r->fields_len;
	w.fields = list;
	w.columns = r->columns;
	w.rows = r->rows;
	h->body_case = FORNIX__HEADER__BODY_RECORD;
	h->record = &w;
	result = valid_record(&w, fx_wire_payload_size(FX_RECORD, r)) ?
			 fx__frame_pack(FX__FRAME_HEADER, &h->base, bytes, size, err) :
			 fx_error_set(
				 err, FX_EINVAL,
				 "a record of %zu fields and %zu rows of %u columns: at most %d "
				 "fields and %d columns",
				 r->fields_len, r->rows, r->columns, FIELDS_MAX, COLUMNS_MAX);
done:
	free(fields);
	free(list);
	return result;
}

static int encode_mark(Fornix__Header *h, const struct fx_mark *m, void **bytes, size_t *size,
		       struct fx_error *err)
{
	Fornix__Mark w;
	Fornix__Region region;
	struct fx_mark copy = *m;

	fornix__mark__init(&w);
	region_to_wire(&region, &copy.region);
	w.kind = (uint32_t)m->kind;
	w.region = &region;
	w.n_voxel_nm = 3;
	w.voxel_nm = copy.voxel_nm;
	w.dtype = (uint32_t)m->dtype;
	w.reason = copy.reason;
	if (!valid_mark(&w))
		return fx_error_set(err, FX_EINVAL, "a mark that is out of bounds (kind %u)",
				    w.kind);
	h->body_case = FORNIX__HEADER__BODY_MARK;
	h->mark = &w;
	return fx__frame_pack(FX__FRAME_HEADER, &h->base, bytes, size, err);
}

int fx_wire_encode(const struct fx_envelope *e, void **bytes, size_t *size, struct fx_error *err)
{
	Fornix__Header h;
	Fornix__Payload p;

	fornix__header__init(&h);
	fornix__payload__init(&p);
	h.version = FX_WIRE_VERSION;
	h.seq = e->seq;
	p.codec = (uint32_t)e->payload.codec;
	p.size = e->payload.size;
	p.raw_size = e->payload.raw_size;
	p.in_slot = e->payload.in_slot;
	p.slot = e->payload.slot;
	h.payload = e->payload.raw_size ? &p : NULL;
	if (e->kind == FX_BLOCK)
		return encode_block(&h, e->message, bytes, size, err);
	if (e->kind == FX_TREE)
		return encode_tree(&h, e->message, bytes, size, err);
	if (e->kind == FX_RECORD)
		return encode_record(&h, e->message, bytes, size, err);
	return encode_mark(&h, &e->mark, bytes, size, err);
}

static void region_from_wire(struct fx_region *r, const Fornix__Region *w)
{
	memcpy(r->lo, w->lo, sizeof r->lo);
	memcpy(r->hi, w->hi, sizeof r->hi);
}

static int decode_block(const Fornix__Block *w, struct fx_envelope *e, struct fx_error *err)
{
	const size_t size = valid_block(w);
	struct fx_block *b;

	if (!size || size != e->payload.raw_size)
		return fx_error_set(err, FX_ETYPE, "a block whose geometry is out of bounds");
	b = calloc(1, sizeof *b);
	if (!b)
		return fx_error_set(err, FX_ENOMEM, "no memory for a block header");
	b->dtype = (enum fx_dtype)w->dtype;
	b->role = (enum fx_role)w->role;
	b->channels = w->channels;
	b->level = w->level;
	for (int a = 0; a < 3; a++) {
		b->origin[a] = w->origin[a];
		b->shape[a] = w->shape[a];
		b->halo_lo[a] = w->halo_lo[a];
		b->halo_hi[a] = w->halo_hi[a];
		b->voxel_nm[a] = w->voxel_nm[a];
	}
	e->kind = FX_BLOCK;
	e->message = b;
	return FX_OK;
}

static int decode_tree(const Fornix__Tree *w, struct fx_envelope *e, struct fx_error *err)
{
	struct fx_tree *t;

	if (w->len > FX_WIRE_PAYLOAD_MAX / sizeof *t->nodes || !isfinite(w->confidence) ||
	    w->len * sizeof *t->nodes != e->payload.raw_size)
		return fx_error_set(err, FX_ETYPE, "a tree of %llu nodes in %zu bytes",
				    (unsigned long long)w->len, e->payload.raw_size);
	t = fx_tree_new(w->segment, w->len);
	if (!t)
		return fx_error_set(err, FX_ENOMEM, "no memory for a tree");
	t->confidence = w->confidence;
	e->kind = FX_TREE;
	e->message = t;
	return FX_OK;
}

static int fill_record(struct fx_record *r, const Fornix__Record *w)
{
	region_from_wire(&r->region, w->region);
	for (size_t i = 0; i < w->n_fields; i++) {
		const Fornix__Field *f = w->fields[i];
		const int added = f->is_text ? fx_record_add_text(r, f->name, f->text) :
					       fx_record_add_number(r, f->name, f->number);

		if (added < 0)
			return added;
	}
	return w->rows ? fx_record_table(r, w->rows, w->columns) : FX_OK;
}

static int decode_record(const Fornix__Record *w, struct fx_envelope *e, struct fx_error *err)
{
	struct fx_record *r;

	if (!valid_record(w, e->payload.raw_size))
		return fx_error_set(err, FX_ETYPE, "a record that is out of bounds");
	r = fx_record_new(w->kind);
	if (!r || fill_record(r, w) < 0) {
		fx_record_free(r);
		return fx_error_set(err, FX_ENOMEM, "no memory for a record");
	}
	e->kind = FX_RECORD;
	e->message = r;
	return FX_OK;
}

static int decode_mark(const Fornix__Mark *w, struct fx_envelope *e, struct fx_error *err)
{
	if (!valid_mark(w) || e->payload.raw_size)
		return fx_error_set(err, FX_ETYPE, "a mark that is out of bounds (kind %u)",
				    w->kind);
	e->kind = FX_NOTHING;
	e->mark.kind = (enum fx_mark_kind)w->kind;
	region_from_wire(&e->mark.region, w->region);
	if (w->n_voxel_nm == 3)
		memcpy(e->mark.voxel_nm, w->voxel_nm, sizeof e->mark.voxel_nm);
	e->mark.dtype = (enum fx_dtype)w->dtype;
	memcpy(e->mark.reason, w->reason, strnlen(w->reason, sizeof e->mark.reason - 1));
	return FX_OK;
}

static int decode_payload(const Fornix__Payload *w, struct fx_payload *p, struct fx_error *err)
{
	if (!w)
		return FX_OK;
	if (w->codec >= FX_CODECS || w->size > FX_WIRE_PAYLOAD_MAX ||
	    w->raw_size > FX_WIRE_PAYLOAD_MAX || w->slot > SLOT_MAX ||
	    (w->codec == FX_CODEC_STORED && w->size != w->raw_size) ||
	    w->raw_size > w->size * FX_WIRE_RATIO_MAX)
		return fx_error_set(err, FX_ETYPE, "a payload that is out of bounds");
	p->codec = (enum fx_codec)w->codec;
	p->size = w->size;
	p->raw_size = w->raw_size;
	p->in_slot = w->in_slot;
	p->slot = w->slot;
	return FX_OK;
}

static int decode_body(const Fornix__Header *h, struct fx_envelope *e, struct fx_error *err)
{
	e->seq = h->seq;
	if (decode_payload(h->payload, &e->payload, err) < 0)
		return FX_ETYPE;
	switch (h->body_case) {
	case FORNIX__HEADER__BODY_BLOCK:
		return decode_block(h->block, e, err);
	case FORNIX__HEADER__BODY_TREE:
		return decode_tree(h->tree, e, err);
	case FORNIX__HEADER__BODY_RECORD:
		return decode_record(h->record, e, err);
	case FORNIX__HEADER__BODY_MARK:
		return decode_mark(h->mark, e, err);
	case FORNIX__HEADER__BODY__NOT_SET:
	case _FORNIX__HEADER__BODY__CASE_IS_INT_SIZE:
		break;
	}
	return fx_error_set(err, FX_ETYPE, "a header without a body");
}

int fx_wire_decode(const void *bytes, size_t size, struct fx_envelope *e, struct fx_error *err)
{
	struct fx__unpacked u = { 0 };
	int result;

	memset(e, 0, sizeof *e);
	result = fx__unpack(&u, FX__FRAME_HEADER, &fornix__header__descriptor, bytes, size, err);
	if (result == FX_OK)
		result = decode_body((const Fornix__Header *)u.message, e, err);
	fx__unpack_fini(&u);
	return result;
}

int fx_wire_fill(struct fx_envelope *e, const void *raw, struct fx_error *err)
{
	if (e->kind == FX_RECORD) {
		struct fx_record *r = e->message;

		if (r->rows)
			memcpy(r->table, raw, e->payload.raw_size);
		return FX_OK;
	}
	if (e->kind == FX_TREE) {
		struct fx_tree *t = e->message;

		if (t->len)
			memcpy(t->nodes, raw, e->payload.raw_size);
		return check_nodes(t, err);
	}
	return FX_OK;
}

void fx_envelope_fini(struct fx_envelope *e)
{
	if (e->kind == FX_BLOCK)
		fx_block_free(e->message);
	else if (e->kind == FX_TREE)
		fx_tree_free(e->message);
	else if (e->kind == FX_RECORD)
		fx_record_free(e->message);
	e->message = NULL;
}
