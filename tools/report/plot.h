/* SPDX-License-Identifier: MIT */
/* A chart of the time of each layer: a bar per layer, compared with the roofline. */
#ifndef TOOLS_REPORT_PLOT_H
#define TOOLS_REPORT_PLOT_H

#include "report/bench_report.h"
#include "report/canvas.h"

/* Draws one configuration; free the image with canvas_free. Errors: MEMORY. */
vgg_status plot_draw(const struct bench_about *about, const struct measure_options *options,
                     const struct measurement *measurement, struct canvas *out,
                     struct vgg_error *err);

/* Draws into a PNG file that is open. Errors: IO, MEMORY. */
vgg_status plot_save(const struct output *output, const struct bench_about *about,
                     const struct measure_options *options, const struct measurement *measurement,
                     struct vgg_error *err);

#endif
