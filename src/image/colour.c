/* SPDX-License-Identifier: Apache-2.0
 * image/colour.c - convert the rows of a decoder to the colours that a reader delivers (stage 4 of 9), and make profiles.
 * In: rows of inks or of colours with a profile.  Out: rows of sRGB, of the same depth. */
#include "image/colour.h"

#include <lcms2.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct image_colour {
    bool is_16;
    cmsContext context;
    cmsHTRANSFORM transform; /* NULL: inks without a profile */
};

/* ---- profiles ---- */

typedef struct primaries {
    double white[2], red[2], green[2], blue[2];
} primaries;

static const primaries srgb_primaries = {{0.3127, 0.3290}, {0.64, 0.33}, {0.30, 0.60}, {0.15, 0.06}};

/* By code (ITU-T H.273, table 2). returns NULL: not one for which there is a profile. */
static const primaries *primaries_of(uint8_t code) {
    static const primaries ntsc = {{0.3127, 0.3290}, {0.63, 0.34}, {0.31, 0.595}, {0.155, 0.07}},
                           pal = {{0.3127, 0.3290}, {0.64, 0.33}, {0.29, 0.60}, {0.15, 0.06}},
                           bt2020 = {{0.3127, 0.3290}, {0.708, 0.292}, {0.170, 0.797}, {0.131, 0.046}},
                           p3 = {{0.3127, 0.3290}, {0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}};
    switch (code) {
    case 1:
        return &srgb_primaries;
    case 5:
        return &pal;
    case 6:
    case 7:
        return &ntsc;
    case 9:
        return &bt2020;
    case 12:
        return &p3;
    default:
        return NULL;
    }
}

static cmsToneCurve *srgb_curve(cmsContext context) {
    const double parameters[] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045}; /* IEC 61966-2-1 */
    return cmsBuildParametricToneCurve(context, 4, parameters);
}

/* By code (ITU-T H.273, table 3). returns NULL: HDR and others for which there is no curve. */
static cmsToneCurve *curve_of(cmsContext context, uint8_t code) {
    const double video[] = {1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081}; /* BT.709 */
    switch (code) {
    case 1:
    case 6:
    case 14:
    case 15:
        return cmsBuildParametricToneCurve(context, 4, video);
    case 4:
        return cmsBuildGamma(context, 2.2);
    case 5:
        return cmsBuildGamma(context, 2.8);
    case 8:
        return cmsBuildGamma(context, 1);
    case 13:
        return srgb_curve(context);
    default:
        return NULL;
    }
}

static cmsHPROFILE build(cmsContext context, bool is_grey, const primaries *corners, cmsToneCurve *curve) {
    cmsHPROFILE profile = NULL;
    if (curve != NULL && corners != NULL && is_grey) {
        profile = cmsCreateGrayProfileTHR(context, cmsD50_xyY(), curve);
    } else if (curve != NULL && corners != NULL) {
        const cmsCIExyY white = {corners->white[0], corners->white[1], 1};
        const cmsCIExyYTRIPLE rgb = {{corners->red[0], corners->red[1], 1},
                                     {corners->green[0], corners->green[1], 1},
                                     {corners->blue[0], corners->blue[1], 1}};
        cmsToneCurve *const curves[3] = {curve, curve, curve};
        profile = cmsCreateRGBProfileTHR(context, &white, &rgb, curves);
    }
    if (curve != NULL)
        cmsFreeToneCurve(curve);
    return profile;
}

static cmsHPROFILE build_srgb(cmsContext context, bool is_grey) {
    return build(context, is_grey, &srgb_primaries, srgb_curve(context));
}

/* What gamma and chromaticities say; where one is missing, sRGB's. */
static cmsHPROFILE build_from_gamma(cmsContext context, bool is_grey, const image_metadata *metadata) {
    primaries corners = srgb_primaries;
    const uint32_t *at = metadata->chromaticities;
    if (at[0] > 0)
        corners = (primaries){{at[0] / 1e5, at[1] / 1e5},
                              {at[2] / 1e5, at[3] / 1e5},
                              {at[4] / 1e5, at[5] / 1e5},
                              {at[6] / 1e5, at[7] / 1e5}};
    for (int i = 0; i < 8; i++)
        if (at[0] > 0 && (at[i] > 100000 || at[i | 1] == 0))
            return NULL;
    cmsToneCurve *curve = metadata->gamma > 0 ? cmsBuildGamma(context, 1e5 / metadata->gamma) : srgb_curve(context);
    return build(context, is_grey, &corners, curve);
}

static cmsHPROFILE build_from_png(cmsContext context, bool is_grey, const image_metadata *metadata) {
    const uint8_t *cicp = metadata->cicp;
    if (cicp[0] == 0)
        return build_from_gamma(context, is_grey, metadata);
    if (cicp[2] != 0 || cicp[3] != 1) /* not RGB, or not the full range */
        return NULL;
    return build(context, is_grey, primaries_of(cicp[0]), curve_of(context, cicp[1]));
}

bool image_colour_is_special(const image_metadata *metadata) {
    static const uint8_t cicp_srgb[4] = {1, 13, 0, 1};
    if (metadata->cicp[0] > 0)
        return memcmp(metadata->cicp, cicp_srgb, sizeof(cicp_srgb)) != 0;
    return metadata->icc.data != NULL || metadata->gamma > 0 || metadata->chromaticities[0] > 0;
}

swin2sr_status image_colour_make_profile(const image_metadata *metadata, int32_t channels, uint8_t **ret_bytes,
                                         size_t *ret_size) {
    cmsContext context = cmsCreateContext(NULL, NULL);
    if (context == NULL)
        return SWIN2SR_NOMEM;
    cmsHPROFILE profile = build_from_png(context, channels < 3, metadata);
    cmsUInt32Number size = 0;
    uint8_t *bytes = NULL;
    if (profile != NULL && cmsSaveProfileToMem(profile, NULL, &size))
        bytes = malloc(size);
    if (bytes != NULL && !cmsSaveProfileToMem(profile, bytes, &size)) {
        free(bytes);
        bytes = NULL;
    }
    if (profile != NULL)
        cmsCloseProfile(profile);
    cmsDeleteContext(context);
    *ret_bytes = bytes;
    *ret_size = size;
    return SWIN2SR_OK;
}

/* ---- conversion ---- */

static cmsHPROFILE profile_of(cmsContext context, const image_decoder *decoder) {
    const image_metadata *metadata = &decoder->metadata;
    bool is_grey = decoder->channels < 3;
    if (!decoder->is_cmyk && metadata->cicp[0] > 0)
        return build_from_png(context, is_grey, metadata);
    if (metadata->icc.data == NULL)
        return decoder->is_cmyk ? NULL : build_from_gamma(context, is_grey, metadata);
    cmsHPROFILE profile = cmsOpenProfileFromMemTHR(context, metadata->icc.data, (cmsUInt32Number)metadata->icc.size);
    cmsColorSpaceSignature expected = decoder->is_cmyk ? cmsSigCmykData : is_grey ? cmsSigGrayData : cmsSigRgbData;
    if (profile != NULL && cmsGetColorSpace(profile) != expected) {
        cmsCloseProfile(profile);
        return NULL;
    }
    return profile;
}

static void open_transform(image_colour *colour, const image_decoder *decoder) {
    cmsUInt32Number bytes = (cmsUInt32Number)decoder->sample_bytes, channels = (cmsUInt32Number)decoder->channels;
    bool is_grey = channels < 3;
    cmsUInt32Number alpha = decoder->is_cmyk ? 0 : 1 - channels % 2;
    cmsUInt32Number in_space = decoder->is_cmyk ? PT_CMYK : is_grey ? PT_GRAY : PT_RGB;
    cmsUInt32Number out_channels = decoder->is_cmyk ? 3 : channels - alpha;
    cmsUInt32Number in = COLORSPACE_SH(in_space) | EXTRA_SH(alpha) | CHANNELS_SH(channels - alpha) | BYTES_SH(bytes);
    cmsUInt32Number out =
        COLORSPACE_SH(is_grey ? PT_GRAY : PT_RGB) | EXTRA_SH(alpha) | CHANNELS_SH(out_channels) | BYTES_SH(bytes);
    cmsHPROFILE from = profile_of(colour->context, decoder), to = build_srgb(colour->context, is_grey);
    if (from != NULL && to != NULL)
        colour->transform = cmsCreateTransformTHR(colour->context, from, in, to, out, INTENT_PERCEPTUAL,
                                                  alpha ? cmsFLAGS_COPY_ALPHA : 0);
    if (from != NULL)
        cmsCloseProfile(from);
    if (to != NULL)
        cmsCloseProfile(to);
}

swin2sr_status image_colour_open(const image_decoder *decoder, bool to_srgb, image_colour **ret_colour, uint32_t *notes,
                                 swin2sr_error *reterr) {
    if (!decoder->is_cmyk && !(to_srgb && image_colour_is_special(&decoder->metadata))) {
        *ret_colour = NULL;
        return SWIN2SR_OK;
    }
    image_colour *colour = calloc(1, sizeof(*colour));
    if (colour == NULL || (colour->context = cmsCreateContext(NULL, NULL)) == NULL) {
        free(colour);
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to convert the colours");
    }
    colour->is_16 = decoder->sample_bytes == 2;
    open_transform(colour, decoder);
    if (decoder->is_cmyk)
        *notes |= colour->transform != NULL ? NOTE_CMYK_CONVERTED : NOTE_CMYK_GUESSED;
    if (!decoder->is_cmyk && colour->transform == NULL) {
        *notes |= NOTE_NOT_SRGB;
        image_colour_close(colour);
        colour = NULL;
    }
    *ret_colour = colour;
    return SWIN2SR_OK;
}

/* Without a profile: each ink absorbs its share of one primary, black its share of all three. */
#define INKS_TO_RGB(type, top)                                                                  \
    static void inks_to_rgb_##type(const type *inks, type *rgb, int32_t width_px) {             \
        for (int32_t x = 0; x < width_px; x++, inks += 4, rgb += 3)                             \
            for (int c = 0; c < 3; c++)                                                         \
                rgb[c] = (type)(((uint64_t)(top - inks[c]) * (top - inks[3]) + top / 2) / top); \
    }
INKS_TO_RGB(uint8_t, 255u)
INKS_TO_RGB(uint16_t, 65535u)

void image_colour_apply(const image_colour *colour, const void *from, void *to, int32_t width_px) {
    if (colour->transform != NULL)
        cmsDoTransform(colour->transform, from, to, (cmsUInt32Number)width_px);
    else if (colour->is_16)
        inks_to_rgb_uint16_t(from, to, width_px);
    else
        inks_to_rgb_uint8_t(from, to, width_px);
}

void image_colour_close(image_colour *colour) {
    if (colour == NULL)
        return;
    if (colour->transform != NULL)
        cmsDeleteTransform(colour->transform);
    cmsDeleteContext(colour->context);
    free(colour);
}
