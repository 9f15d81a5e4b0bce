#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Settings in timm's config.json that change the net, against PyTorch.

    timm_settings.py VGG_INFER

Exit 77 (skipped) without PyTorch.
"""
import os
import sys
import tempfile

from evidence import MEAN, STD, InterpolationMode, Net, check, finish, logits, nn, np, prepare, save, seed, timm_config, torch, write
from nets import randomise


def test_timm_settings(folder):
    """model_args of timm change the net, and no weight shows that."""
    def run(settings, *options):
        write(folder, "config.json", {**timm_config(), **settings})
        return logits(path, *options)

    net, image = randomise(Net()).eval(), prepare(40, 32, MEAN, STD, InterpolationMode.BICUBIC)
    path = save(folder, net.state_dict(), "pytorch_model.bin")
    for name, act in (("relu", nn.ReLU), ("relu6", nn.ReLU6), ("leaky_relu", nn.LeakyReLU), ("silu", nn.SiLU), ("swish", nn.SiLU),
                      ("gelu", nn.GELU), ("elu", nn.ELU), ("hard_swish", nn.Hardswish), ("sigmoid", nn.Sigmoid), ("tanh", nn.Tanh)):
        other = Net(act=act).eval()
        other.load_state_dict(net.state_dict())
        with torch.no_grad():
            expected = other(image)[0].numpy()
        for settings in ({"model_args": {"act_layer": name, "drop_rate": 0.5, "num_classes": 3}}, {"act_layer": name}):
            array, found = run(settings)
            good = array is not None and np.abs(array - expected).max() < 1e-5 * max(1, np.abs(expected).max())
            check(good and not found.assumes("activation"), settings, found.err, array, expected)
    relu, _ = run({"model_args": {"act_layer": None, "norm_layer": "batchnorm2d", "global_pool": "avg", "output_stride": 32}})
    check(relu is not None and np.array_equal(relu, run({})[0]), "settings of the usual net")
    for settings, problem in (
            ({"model_args": {"act_layer": "mish"}}, "model_args.act_layer: expected relu, "), ({"act_layer": 7}, "config.json: act_layer: expected relu, "),
            ({"model_args": {"act_layer": "prelu"}}, "model_args.act_layer: expected the activation that the weights show, found PReLU"),
            ({"model_args": {"attn_layer": "se"}}, "model_args.attn_layer: expected no setting of this name, found"),
            ({"model_args": {"norm_layer": "groupnorm"}}, "model_args.norm_layer: expected batchnorm or "),
            ({"model_args": {"conv_layer": "std_conv"}}, "model_args.conv_layer: expected conv2d or "),
            ({"model_args": {"output_stride": 16}}, "model_args.output_stride: expected 32, found 16"),
            ({"global_pool": "max"}, "global_pool: expected avg or ")):
        found = run(settings)[1]
        check(found.code == 3 and problem in found.err, settings, found.err)
    check(np.array_equal(run({"model_args": {"act_layer": "mish"}}, "--activation", "ReLU")[0], relu), "--activation is stronger")
    os.remove(os.path.join(folder, "config.json"))


def main():
    seed("timm settings")
    with tempfile.TemporaryDirectory() as folder:
        test_timm_settings(folder)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
