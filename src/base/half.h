/* SPDX-License-Identifier: Apache-2.0
 * base/half.h - half floats (IEEE 754 binary16) as bits: compilers before clang 15 have no type for them. */
#pragma once

#include <stdint.h>
#include <string.h>

/* The bits of a float equal to a half, exact for every value: a float has more bits of exponent and of mantissa. A
 * subnormal half becomes a normal float by adding the implicit bit and subtracting it again. There are no branches, so
 * that loops over it become vector instructions. */
static inline uint32_t swin2sr__half_to_float(uint16_t half) {
    uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13, sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t normal = magnitude + (112u << 23), small = magnitude + (113u << 23);
    float subnormal;
    memcpy(&subnormal, &small, sizeof(subnormal));
    subnormal -= 0x1p-14f;
    memcpy(&small, &subnormal, sizeof(small));
    normal += magnitude >= 31u << 23 ? 112u << 23 : 0; /* infinite or NaN */
    return (magnitude < 1u << 23 ? small : normal) | sign;
}

/* The nearest half, of two equally near ones the even one. What is beyond the largest half, 65504, becomes it. */
static inline uint16_t swin2sr__half_of_float(float value) {
    uint32_t bits, magnitude;
    memcpy(&bits, &value, sizeof bits);
    magnitude = bits & 0x7fffffff;
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    if (magnitude > 0x7f800000)
        return sign | 0x7e00; /* NaN */
    if (magnitude >= 0x477fe000)
        return sign | 0x7bff;
    if (magnitude < 0x38800000) { /* subnormal: an addition rounds to multiples of 2^-24 */
        float aligned;
        memcpy(&aligned, &magnitude, sizeof aligned);
        aligned += 0.5f; /* whose last bit is 2^-24 */
        memcpy(&magnitude, &aligned, sizeof magnitude);
        return sign | (uint16_t)(magnitude - 0x3f000000);
    }
    magnitude += 0xfff + (magnitude >> 13 & 1);
    return sign | (uint16_t)((magnitude >> 13) - (112u << 10));
}
