/* SPDX-License-Identifier: MIT */
/* The output size of a window that moves over an image, as PyTorch computes it. */
#include "model/spec/window.h"

#include <limits.h>
#include <stdint.h>

/* A window along one axis. */
struct axis {
    int kernel, stride, dilation;
    /* At the beginning, and in total. */
    int before, padding;
    bool ceil_mode;
};

/* Output size of a window that moves over `size` padded pixels; 0 when it is larger. With ceil_mode a last window
 * that begins in the input or in the padding before it may reach beyond the end, the first one by less than a step. */
static int64_t count_windows(int size, const struct axis *axis)
{
    const int64_t reach = (int64_t)axis->dilation * (axis->kernel - 1) + 1;
    const int64_t steps = (int64_t)size + axis->padding - reach;
    if (steps < 0) {
        return axis->ceil_mode && -steps < axis->stride ? 1 : 0;
    }
    int64_t count = steps / axis->stride + 1;
    if (axis->ceil_mode && steps % axis->stride != 0 &&
        count * axis->stride < (int64_t)size + axis->before) {
        count++;
    }
    return count;
}

static struct axis vertical(const struct vgg_window *window)
{
    return (struct axis){window->kernel.h,
                         window->stride.h,
                         window->dilation.h,
                         window->padding.top,
                         window->padding.top + window->padding.bottom,
                         window->ceil_mode};
}

static struct axis horizontal(const struct vgg_window *window)
{
    return (struct axis){window->kernel.w,
                         window->stride.w,
                         window->dilation.w,
                         window->padding.left,
                         window->padding.left + window->padding.right,
                         window->ceil_mode};
}

/* The smallest input along an axis. */
static int get_min(const struct axis *axis)
{
    const int64_t reach = (int64_t)axis->dilation * (axis->kernel - 1) + 1;
    const int64_t min = reach - axis->padding - (axis->ceil_mode ? axis->stride - 1 : 0);
    return min < 1 ? 1 : min > INT_MAX ? INT_MAX : (int)min;
}

struct vgg_pixels vgg_window_get_min(const struct vgg_window *window)
{
    const struct axis rows = vertical(window), columns = horizontal(window);
    return (struct vgg_pixels){get_min(&rows), get_min(&columns)};
}

bool vgg_window_move(const struct vgg_window *window, struct vgg_shape *shape)
{
    const struct axis rows = vertical(window), columns = horizontal(window);
    const int64_t h = count_windows(shape->h, &rows), w = count_windows(shape->w, &columns);
    if (h < 1 || w < 1 || h > INT_MAX || w > INT_MAX) {
        return false;
    }
    shape->h = (int)h;
    shape->w = (int)w;
    return true;
}
