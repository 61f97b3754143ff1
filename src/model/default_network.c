/* SPDX-License-Identifier: Apache-2.0
 * model/default_network.c - the network that ships inside the library.
 * In: the file that the build names in SWIN2SR_DEFAULT_NETWORK.  Out: its bytes, read-only, in the program itself. */
#include <swin2sr/model.h>

__asm__(".pushsection .rodata\n"
        ".balign 64\n"
        "swin2sr__default_network:\n"
        ".incbin \"" SWIN2SR_DEFAULT_NETWORK "\"\n"
        "swin2sr__default_network_end:\n"
        ".byte 0\n"
        ".popsection\n");

extern const unsigned char swin2sr__default_network[];
extern const unsigned char swin2sr__default_network_end[];

const void *swin2sr_model_default_bytes(size_t *ret_size) {
    *ret_size = (size_t)(swin2sr__default_network_end - swin2sr__default_network);
    return swin2sr__default_network;
}
