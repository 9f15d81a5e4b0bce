/* vgg-infer: run pretrained VGG checkpoints without Python.
 *
 *     #include <stdio.h>
 *     #include <vgg/vgg.h>
 *
 *     int main(int argc, char **argv) // checkpoint, picture
 *     {
 *         struct vgg_error err = {0};
 *         vgg_checkpoint *checkpoint = NULL;
 *         vgg_model *model = NULL;
 *         vgg_session *session = NULL;
 *         struct vgg_image image = {0};
 *         static float input[3 * 224 * 224], logits[1000];
 *         struct vgg_ranked best;
 *         if (argc == 3 && !vgg_checkpoint_open(argv[1], NULL, &checkpoint, &err) &&
 *             !vgg_model_create(checkpoint, NULL, &model, &err) &&
 *             !vgg_session_create(model, NULL, &session, &err) &&
 *             !vgg_image_open(argv[2], NULL, &image, &err) &&
 *             !vgg_image_to_tensor(&image, vgg_model_get_preprocess(model), NULL, input, &err) &&
 *             !vgg_session_run(session, input, 1, logits, &err)) {
 *             vgg_rank(logits, 1000, 1, &best);
 *             printf("%.4f %s\n", best.probability, vgg_model_get_label(model, best.index));
 *         } else {
 *             fprintf(stderr, "%s\n", err.message);
 *         }
 *         vgg_image_destroy(&image);
 *         vgg_session_destroy(session);
 *         vgg_model_destroy(model);
 *         vgg_checkpoint_close(checkpoint);
 *         return err.code;
 *     }
 */
#ifndef VGG_VGG_H
#define VGG_VGG_H

#include "vgg/checkpoint.h"
#include "vgg/cpu.h"
#include "vgg/image.h"
#include "vgg/model.h"
#include "vgg/preprocess.h"
#include "vgg/session.h"
#include "vgg/status.h"

#endif
