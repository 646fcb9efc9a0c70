/* SPDX-License-Identifier: GPL-3.0-only */
/* The power button and its transport (virtio_fuzz.h), pressed whenever a doorbell might have been waited for. */
#include "dev/virtio/virtio_button.h"
#include "virtio_fuzz.h"

#define QUEUES 2

static struct virtio_button *button;

static void press(void)
{
    virtio_button_press(button, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_device *device;
    const struct virtio_button_config config = {.features_off = 0};
    if (!device)
        device = fuzz_device_new(virtio_button_new(&button, &config, NULL), QUEUES, press);
    fuzz_run(device, data, size);
    return 0;
}
