/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/engine/test_vulkan_cache.c - the file of compiled kernels: it is used again, and never when it is damaged or
 * of another driver. Skipped where there is no Vulkan device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/vulkan/network.h"

#define HEAD_BYTES 48
#define CRC_AT 20
#define BYTES_AT 24

/* Pipelines of the default network's shape, on device 0. */
static int open_device(void **state) {
    swin2sr__vk_network *network = calloc(1, sizeof *network);
    network->packed.network.config.dim = 60;
    network->packed.network.config.heads = 6;
    network->packed.network.config.window_px = 8;
    if (swin2sr__vk_gpu_open(&network->gpu, 0, 10, NULL) != SWIN2SR_OK)
        printf("no Vulkan device: all is skipped\n");
    *state = network;
    return 0;
}

static int close_device(void **state) {
    swin2sr__vk_network *network = *state;
    swin2sr__vk_gpu_close(&network->gpu);
    free(network);
    return 0;
}

static int new_file(void) {
    char path[] = "/tmp/swin2sr-cache-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd > 0);
    unlink(path);
    return fd;
}

static off_t size_of(int fd) {
    struct stat file;
    assert_int_equal(fstat(fd, &file), 0);
    return file.st_size;
}

/* Make all pipelines with this file.  returns  what was thought of its content. */
static swin2sr__vk_cache_state start(swin2sr__vk_network *network, int fd) {
    if (!network->gpu.device)
        skip();
    network->cache_fd = fd;
    assert_int_equal(swin2sr__vk_pipelines_new(network), VK_SUCCESS);
    swin2sr__vk_pipelines_free(network);
    return network->cache.state;
}

static void test_it_is_used_by_the_next_start(void **state) {
    int fd = new_file();
    assert_int_equal(start(*state, fd), SWIN2SR__VK_CACHE_NONE);
    assert_true(size_of(fd) > HEAD_BYTES);
    assert_int_equal(start(*state, fd), SWIN2SR__VK_CACHE_USED);
    assert_int_equal(start(*state, 0), SWIN2SR__VK_CACHE_NONE);
    close(fd);
}

static void flip(int fd, off_t at) {
    unsigned char byte;
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

/* Every damage is found, and mended by the start that finds it. */
static void test_a_damaged_file_is_ignored_and_replaced(void **state) {
    int fd = new_file();
    start(*state, fd);
    off_t size = size_of(fd), places[] = {0, CRC_AT, BYTES_AT, HEAD_BYTES, size - 1};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        flip(fd, places[i]);
        assert_int_equal(start(*state, fd), SWIN2SR__VK_CACHE_DAMAGED);
        assert_int_equal(start(*state, fd), SWIN2SR__VK_CACHE_USED);
    }
    const off_t sizes[] = {1, HEAD_BYTES, HEAD_BYTES + 1, size - 1, size + 1, SWIN2SR__VK_CACHE_MAX_BYTES + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(ftruncate(fd, sizes[i]), 0);
        assert_int_equal(start(*state, fd), SWIN2SR__VK_CACHE_DAMAGED);
        assert_int_equal(size_of(fd), size);
    }
    close(fd);
}

static void test_a_file_of_another_driver_is_replaced(void **state) {
    swin2sr__vk_network *network = *state;
    int fd = new_file();
    uint32_t *const parts[] = {&network->gpu.identity.vendor, &network->gpu.identity.device,
                               &network->gpu.identity.driver};
    start(network, fd);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        ++*parts[i];
        assert_int_equal(start(network, fd), SWIN2SR__VK_CACHE_OTHER);
        assert_int_equal(start(network, fd), SWIN2SR__VK_CACHE_USED);
    }
    ++network->gpu.identity.uuid[15];
    assert_int_equal(start(network, fd), SWIN2SR__VK_CACHE_OTHER);
    close(fd);
}

static void test_a_file_that_cannot_be_written_is_no_failure(void **state) {
    int full = open("/dev/full", O_RDWR), closed = new_file();
    close(closed);
    start(*state, full);
    assert_int_equal(start(*state, closed), SWIN2SR__VK_CACHE_NONE);
    close(full);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_used_by_the_next_start),
        cmocka_unit_test(test_a_damaged_file_is_ignored_and_replaced),
        cmocka_unit_test(test_a_file_of_another_driver_is_replaced),
        cmocka_unit_test(test_a_file_that_cannot_be_written_is_no_failure),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
