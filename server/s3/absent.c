/* SPDX-License-Identifier: Apache-2.0
 * s3/absent.c - in place of this folder, in a build with -Dcluster=disabled. */
#include "base/error.h"
#include "s3/objects.h"

swin2sr_status objects_open_s3(const char *address, const s3_settings *settings, const char *folder,
                               object_store **ret_store, swin2sr_error *reterr) {
    return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED,
                              "this program was built without stores that speak S3 (-Dcluster=disabled)");
}
