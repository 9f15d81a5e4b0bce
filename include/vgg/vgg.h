/* SPDX-License-Identifier: MIT */
/* vgg-infer: run pretrained VGG checkpoints without Python.
 *
 *     #include <stdio.h>
 *     #include <stdlib.h>
 *     #include <vgg/vgg.h>
 *
 *     int main(int argc, char **argv) // checkpoint, image
 *     {
 *         struct vgg_error err;
 *         vgg_checkpoint *checkpoint = NULL;
 *         vgg_model *model = NULL;
 *         vgg_session *session = NULL;
 *         vgg_image_file *image = NULL;
 *         struct vgg_model_info net;
 *         struct vgg_ranked best;
 *         if (argc != 3 || vgg_checkpoint_open(argv[1], NULL, &checkpoint, &err) ||
 *             vgg_model_create(checkpoint, NULL, &model, &err) ||
 *             vgg_session_create(model, NULL, &session, &err) ||
 *             vgg_image_file_open(argv[2], NULL, &image, &err)) {
 *             fprintf(stderr, "%s\n", err.message);
 *             return 1;
 *         }
 *         vgg_model_get_info(model, &net);
 *         float *input = (float *)malloc(sizeof(float) * net.channels * net.height * net.width);
 *         float *logits = (float *)malloc(sizeof(float) * net.class_count);
 *         if (input == NULL || logits == NULL ||
 *             vgg_image_file_to_tensor(image, vgg_model_get_preprocess(model), input, &err) ||
 *             vgg_session_run(session, input, 1, logits, &err)) {
 *             fprintf(stderr, "%s\n", err.message);
 *             return 1;
 *         }
 *         vgg_rank(logits, net.class_count, 1, &best);
 *         const char *label = vgg_model_get_label(model, best.index);
 *         printf("%.4f class %d %s\n", best.probability, best.index, label ? label : "");
 *         vgg_image_file_close(image);
 *         vgg_session_destroy(session);
 *         vgg_model_destroy(model);
 *         vgg_checkpoint_close(checkpoint);
 *         free(input);
 *         free(logits);
 *         return 0;
 *     }
 */
#ifndef VGG_VGG_H
#define VGG_VGG_H

#include "vgg/checkpoint.h"
#include "vgg/context.h"
#include "vgg/cpu.h"
#include "vgg/file.h"
#include "vgg/image.h"
#include "vgg/model.h"
#include "vgg/preprocess.h"
#include "vgg/quantize.h"
#include "vgg/scan.h"
#include "vgg/session.h"
#include "vgg/status.h"

#endif
