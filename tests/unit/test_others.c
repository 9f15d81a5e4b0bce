/* SPDX-License-Identifier: MIT */
/* model/infer/other_nets: nets that are no VGGs are called by their names. */
#include "fake_net.h"
#include "unit.h"

#include "model/infer/resolve.h"

/* The first tensors of nets as torchvision and timm save them. */
static const struct {
    const char *names[3];
    int64_t side; /* of the first weight's windows */
    const char *says;
} nets[] = {
    {{"conv1.weight", "bn1.weight", "layer1.0.conv1.weight"},
     7,
     "a ResNet (layer1.0.conv1.weight ["},
    {{"features.conv0.weight", "features.norm0.weight",
      "features.denseblock1.denselayer1.norm1.weight"},
     7,
     "a DenseNet"},
    {{"features.0.weight", "features.0.bias", "features.3.squeeze.weight"}, 3, "a SqueezeNet"},
    {{"conv1.conv.weight", "conv1.bn.weight", "inception3a.branch1.conv.weight"}, 7, "a GoogLeNet"},
    {{"Conv2d_1a_3x3.conv.weight", "Mixed_5b.branch1x1.conv.weight", "fc.weight"},
     3,
     "an Inception"},
    {{"features.0.0.weight", "features.0.1.weight", "features.1.conv.0.0.weight"},
     3,
     "a MobileNet"},
    {{"features.0.0.weight", "features.0.1.weight", "features.1.0.block.0.0.weight"},
     3,
     "a MobileNet or an EfficientNet"},
    {{"features.0.weight", "features.0.bias", "features.3.weight"},
     11,
     "an AlexNet (features.0.weight"},
    {{"class_token", "conv_proj.weight",
      "encoder.layers.encoder_layer_0.self_attention.in_proj_weight"},
     16,
     "a Transformer"},
    {{"features.0.0.weight", "features.0.0.bias", "features.1.0.layer_scale"}, 4, "a ConvNeXt"},
};

START_TEST(calls_other_nets_by_name)
{
    for (size_t n = 0; n < sizeof nets / sizeof nets[0]; n++) {
        struct fake_net net = {0};
        struct vgg_spec spec;
        vgg_limits_init(&net.limits);
        for (size_t i = 0; i < 3; i++) {
            const int64_t side = i == 0 ? nets[n].side : 3;
            fake_add(&net, 64, i == 0 ? 3 : 64, side, side, "%s", nets[n].names[i]);
        }
        const struct vgg_request request = {0};
        ck_assert_int_eq(
            vgg_spec_resolve(FAKE_LOAD(&net, "x.pth"), fake_list(&net), &request, &spec),
            VGG_ERR_UNSUPPORTED);
        ck_assert_msg(strstr(net.err.message, "x.pth: expected a VGG, found ") == net.err.message &&
                          strstr(net.err.message, nets[n].says) != NULL,
                      "%s", net.err.message);
        fake_fini(&net);
    }
}
END_TEST

UNIT_MAIN("others", calls_other_nets_by_name)
