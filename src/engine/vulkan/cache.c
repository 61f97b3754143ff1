/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/cache.c - kernels that the driver has compiled, kept in a file between starts.
 * The file is a head, then the driver's data. Drivers trust these data, so they get them only if the checksum is right
 * and the head names the same device and driver. Processes may share the file without a lock: whoever reads while
 * another writes finds a wrong checksum, and compiles. */
#include "engine/vulkan/cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32.h"

typedef struct head {
    char magic[8];
    uint32_t vendor, device, driver;
    uint32_t crc; /* of the data */
    uint64_t bytes;
    uint8_t uuid[VK_UUID_SIZE]; /* of the driver's format */
} head;

_Static_assert(sizeof(head) == 48, "heads are compared as bytes: there is no padding");

static head head_of(const swin2sr__vk_gpu *gpu, const void *data, size_t bytes) {
    swin2sr__crc32 crc;
    head self = {.magic = "swin2vk",
                 .vendor = gpu->identity.vendor,
                 .device = gpu->identity.device,
                 .driver = gpu->identity.driver,
                 .bytes = bytes};
    swin2sr__crc32_init(&crc);
    self.crc = swin2sr__crc32_add(&crc, 0, data, bytes);
    memcpy(self.uuid, gpu->identity.uuid, sizeof self.uuid);
    return self;
}

static bool read_all(int fd, void *to, size_t bytes, size_t from) {
    for (size_t done = 0; done < bytes;) {
        ssize_t n = pread(fd, (char *)to + done, bytes - done, (off_t)(from + done));
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static bool write_all(int fd, const void *from, size_t bytes, size_t to) {
    for (size_t done = 0; done < bytes;) {
        ssize_t n = pwrite(fd, (const char *)from + done, bytes - done, (off_t)(to + done));
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

/* Whether this head describes the data, of this device and driver. */
static swin2sr__vk_cache_state judge(const swin2sr__vk_gpu *gpu, const head *found, const void *data, size_t bytes) {
    head expected = head_of(gpu, data, bytes);
    if (memcmp(found->magic, expected.magic, sizeof found->magic) != 0 || found->bytes != bytes ||
        found->crc != expected.crc)
        return SWIN2SR__VK_CACHE_DAMAGED;
    return memcmp(found, &expected, sizeof expected) == 0 ? SWIN2SR__VK_CACHE_USED : SWIN2SR__VK_CACHE_OTHER;
}

/* The driver's data; NULL: there are none that can be used. */
static void *read_data(const swin2sr__vk_gpu *gpu, int fd, size_t *ret_bytes, swin2sr__vk_cache *cache) {
    struct stat file;
    head found;
    if (fd <= 0 || fstat(fd, &file) != 0 || file.st_size == 0)
        return NULL;
    cache->state = SWIN2SR__VK_CACHE_DAMAGED;
    if (file.st_size <= (off_t)sizeof found || file.st_size > SWIN2SR__VK_CACHE_MAX_BYTES ||
        !read_all(fd, &found, sizeof found, 0))
        return NULL;
    size_t bytes = (size_t)file.st_size - sizeof found;
    void *data = malloc(bytes);
    if (data && read_all(fd, data, bytes, sizeof found))
        cache->state = judge(gpu, &found, data, bytes);
    if (cache->state == SWIN2SR__VK_CACHE_USED) {
        cache->crc = found.crc;
        *ret_bytes = bytes;
        return data;
    }
    free(data);
    return NULL;
}

void swin2sr__vk_cache_open(const swin2sr__vk_gpu *gpu, int fd, swin2sr__vk_cache *ret_cache) {
    swin2sr__vk_cache self = {0};
    size_t bytes = 0;
    if (fd > 0) {
        void *data = read_data(gpu, fd, &bytes, &self);
        VkPipelineCacheCreateInfo create = {
            .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO, .initialDataSize = bytes, .pInitialData = data};
        if (gpu->api.CreatePipelineCache(gpu->device, &create, NULL, &self.cache) != VK_SUCCESS)
            self.cache = VK_NULL_HANDLE;
        free(data);
    }
    *ret_cache = self;
}

/* The head is written last, so that what an interrupted write leaves has a wrong checksum. */
static void keep(const swin2sr__vk_gpu *gpu, int fd, const swin2sr__vk_cache *cache) {
    size_t bytes = 0;
    if (gpu->api.GetPipelineCacheData(gpu->device, cache->cache, &bytes, NULL) != VK_SUCCESS || bytes == 0 ||
        bytes > SWIN2SR__VK_CACHE_MAX_BYTES - sizeof(head))
        return;
    void *data = malloc(bytes);
    if (data && gpu->api.GetPipelineCacheData(gpu->device, cache->cache, &bytes, data) == VK_SUCCESS) {
        head self = head_of(gpu, data, bytes);
        bool is_new = cache->state != SWIN2SR__VK_CACHE_USED || self.crc != cache->crc;
        if (is_new && write_all(fd, data, bytes, sizeof self) && ftruncate(fd, (off_t)(bytes + sizeof self)) == 0)
            write_all(fd, &self, sizeof self, 0);
    }
    free(data);
}

void swin2sr__vk_cache_close(const swin2sr__vk_gpu *gpu, int fd, swin2sr__vk_cache *cache) {
    if (!cache->cache)
        return;
    keep(gpu, fd, cache);
    gpu->api.DestroyPipelineCache(gpu->device, cache->cache, NULL);
    cache->cache = VK_NULL_HANDLE;
}
