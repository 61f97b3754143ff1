/* SPDX-License-Identifier: Apache-2.0
 * api/page.h - the page, built into the program by web/embed.py: HTML in every language, assets, openapi.json. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PAGE_LANGUAGES 2 /* the first is the default */

/* What the server fills in, after a part of the HTML. */
typedef enum page_hole {
    PAGE_END = 0,
    PAGE_NONE,     /* nothing */
    PAGE_FACTS,    /* attributes of the document that its script reads */
    PAGE_ACCEPT,   /* media types of the formats that are read */
    PAGE_NETWORKS, /* a choice of network, if there are several */
    PAGE_FORMATS,  /* options for the formats that are written */
    PAGE_KEPT,     /* how long pictures are kept */
} page_hole;

typedef struct page_part {
    const char *text;
    page_hole hole;     /* after it; PAGE_END: this is the last part */
    const char *option; /* of POST /upscale: the part is left out if there is no such option; NULL: always there */
} page_part;

typedef struct page_word {
    const char *key, *text; /* UTF-8, not escaped; NULL after the last */
} page_word;

typedef struct page_language {
    const char *name, *tag; /* "zh", "zh-CN" */
    const page_part *index, *status;
    const page_word *words;
} page_language;

typedef enum page_form {
    PAGE_PLAIN = 0,
    PAGE_GZIP,
    PAGE_BROTLI,
    PAGE_FORMS
} page_form;

typedef struct page_asset {
    const char *name; /* has the hash of its content: whatever has this name never changes */
    const char *media_type;
    const char *tag; /* of its entity tags, without quotes */
    struct {
        const char *bytes;
        size_t size;
    } forms[PAGE_FORMS];
} page_asset;

extern const page_language page_languages[PAGE_LANGUAGES];
extern const page_asset page_assets[];
extern const size_t page_asset_count;
extern const char page_openapi[]; /* web/openapi.json */

/* The language for a value of Accept-Language, which may be NULL. */
const page_language *page_language_for(const char *accept);

/* The form for a value of Accept-Encoding, which may be NULL. */
page_form page_form_for(const char *accept);
