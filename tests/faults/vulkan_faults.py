# SPDX-License-Identifier: Apache-2.0
"""The faults of a Vulkan device that vulkan.c provokes: programs started with `env` find its library in place of the real
one, and the faults can change while they run."""
import os
from pathlib import Path

BUILD = Path(os.environ.get("SWIN2SR_BUILD", Path(__file__).resolve().parents[2] / "build")).resolve()
LIBRARY = BUILD / "tests/faults/faulty_vulkan.so"
TEXT = 128  # bytes of the file, as in vulkan.c


class Faults:
    def __init__(self, folder, text=""):
        """folder  Empty, of this object alone.  text  The faults that are on, as in vulkan.c."""
        (folder / "libvulkan.so.1").symlink_to(LIBRARY)
        self._path = folder / "faults"
        self.set(text)
        self.env = {"SWIN2SR_TEST_VULKAN": str(self._path), "LD_LIBRARY_PATH": f"{folder}:{LIBRARY.parent}"}

    def set(self, text):
        with open(self._path, "r+b" if self._path.exists() else "wb") as file:  # it is mapped: not a new file
            file.write(text.ljust(TEXT).encode())


LAYER = Path("/usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json")
VALIDATION = {"VK_INSTANCE_LAYERS": "VK_LAYER_KHRONOS_validation",
              "VK_LAYER_ENABLES": "VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT"}


def findings(text):
    """The lines of a program's output in which the validation layers report something."""
    return [line for line in text.splitlines() if "Validation" in line or "SYNC-HAZARD" in line]
