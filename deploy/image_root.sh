#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# deploy/image_root.sh PROGRAMS ROOT ARCH [nvidia|mesa] - put together the root of the image: the programs in the folder
# PROGRAMS, which are for Debian's architecture ARCH, the shared libraries that they are linked with, those that they load
# for a cluster and for a GPU, the certificates by which a store is known, and of the Debian packages of these libraries the
# licences and dpkg's entries, by which scanners and tools/image_papers.py know them. There is no shell and no package
# manager, and of Debian's programs only sleep, which Kubernetes calls before it stops a container. Run in the build stage.
set -eu
programs=$1 root=$2 arch=$3 gpu=${4:-}
native=$(dpkg --print-architecture)
case $arch in
amd64) folder=/lib/x86_64-linux-gnu ;;
arm64) folder=/lib/aarch64-linux-gnu ;;
*) echo "deploy/image_root.sh: $arch: must be amd64 or arm64" >&2; exit 2 ;;
esac
sleep=/bin/sleep
if [ "$arch" != "$native" ]; then
    version=$(dpkg-query -W -f '${Version}' coreutils)
    (cd /tmp && apt-get download -q "coreutils:$arch=$version" && dpkg -x coreutils_*.deb coreutils)
    sleep=/tmp/coreutils/bin/sleep
fi

# need FILE... - add the libraries that the files are linked with to $libraries, and those that these need. This is what
# ldd does, but ldd runs the files.
libraries=$(readelf -l "$sleep" | sed -n 's/.*interpreter: \(.*\)\]$/\1/p')
need() {
    for name in $(readelf -d "$@" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | sort -u); do
        case " $libraries " in
        *"/$name "*) ;;
        *)
            libraries="$libraries $folder/$name"
            need "$folder/$name"
            ;;
        esac
    done
}
need "$programs"/* "$sleep"

# For a cluster, what is loaded at run time: libcurl for a store that speaks S3, and libnats for its queue.
loaded="$folder/libcurl.so.4 $folder/libnats.so.3.4" data=/etc/ssl/certs/ca-certificates.crt

# For a GPU as well: the loader of Vulkan, and what NVIDIA's driver is linked with, which its container toolkit mounts; or
# the drivers of Mesa, with the files that name them and their settings.
case $gpu in
'') ;;
nvidia) loaded="$loaded $folder/libvulkan.so.1 $folder/libEGL.so.1 $folder/libXext.so.6" ;;
mesa)
    loaded="$loaded $folder/libvulkan.so.1 $(echo "$folder"/libvulkan_*.so)"
    data="$data $(find /usr/share/vulkan/icd.d /usr/share/drirc.d /usr/share/libdrm -type f)"
    ;;
*) echo "deploy/image_root.sh: $gpu: must be nvidia or mesa" >&2; exit 2 ;;
esac
libraries="$libraries $loaded"
need $loaded

install -d "$root/usr/local/bin" "$root/usr/lib" "$root/usr/lib64" "$root/etc" "$root/var/lib/dpkg" "$root/usr/share/doc"
ln -s usr/lib "$root/lib"
ln -s usr/lib64 "$root/lib64"
install -d -m 1777 "$root/tmp"
install -d -o 65532 -g 65532 "$root/app/uploads" "$root/app/outputs"
install "$programs"/* "$sleep" "$root/usr/local/bin"

echo 'root:x:0:0:root:/:/nonexistent
swin2sr:x:65532:65532:swin2sr:/nonexistent:/nonexistent' > "$root/etc/passwd"
echo 'root:x:0:
swin2sr:x:65532:' > "$root/etc/group"
cp /usr/lib/os-release "$root/usr/lib/os-release"
ln -s ../usr/lib/os-release "$root/etc/os-release"
cp /etc/debian_version "$root/etc/debian_version"

for file in $data; do
    install -D -m 644 "$file" "$root/$file"
done

packages='base-files
ca-certificates
coreutils'
for library in $libraries; do
    install -D "$library" "$root/$library"
    # dpkg knows a file by the name it was installed under, in /lib or in /usr/lib
    owner=$(dpkg-query -S "$library" "/usr$library" 2> /dev/null | head -n 1 | cut -d: -f1)
    [ -n "$owner" ] || { echo "no package has $library" >&2; exit 1; }
    packages="$packages
$owner"
done

for package in $(echo "$packages" | sort -u); do
    { dpkg-query -s "$package:$arch" 2> /dev/null || dpkg-query -s "$package"; } |
        sed "s/^Architecture: $native$/Architecture: $arch/" >> "$root/var/lib/dpkg/status"
    echo >> "$root/var/lib/dpkg/status"
    install -D -m 644 "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"
done
# The licences that copyright files refer to.
cp -r /usr/share/common-licenses "$root/usr/share/common-licenses"
