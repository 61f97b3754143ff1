/* SPDX-License-Identifier: Apache-2.0
 * api/entry_names.h - names of files from clients as names in a ZIP (stage 1 of 9, request). Pure.
 * Whoever unpacks the ZIP trusts these names: none has a path, a control character, or a meaning for a system, and no two
 * are equal on systems that do not tell upper from lower case. */
#pragma once

#include "format/format.h"
#include "ipc/bundle.h"

/* Make a name of UTF-8 that every system can have. What it may not have becomes '_'; a long one keeps its ending. */
void entry_name_clean(const char *sent, char ret_name[BUNDLE_NAME_BYTES]);

/* The name of a result of this format: "photo.jpg" becomes "photo.png". */
void entry_name_of_result(const char *name, format_id format, char ret_name[BUNDLE_NAME_BYTES]);

/* Make a name differ from those of the files before it, by "_2", "_3" before its ending.
 * offset  Of the name in bundle_file. */
void entry_name_make_unique(const bundle *files, size_t index, size_t offset);
