"""Depthwise convolution whose weight gradient is fast on tiny feature maps.

The last blocks of MobileNetV3 run 5x5 depthwise filters over 2x2 or 3x3 maps when the
input is 64 or 80 px, and there oneDNN's general kernel spends a tenth of a training
step. The gradient of a filter tap is the sum, over the few pairs of an input
and an output position that the tap connects, of their products over the batch;
with so few positions it is one product of all pairs and one small matrix.
"""
import functools

import torch
from torch.nn import functional as F

MAX_PAIRS = 81  # of an input and an output position, up to which the pairwise product is the faster one


def _taps(ins, outs, kernel, stride, padding):
    """One row per tap of the filter, with a 1 for each (input, output) pair it connects."""
    table = torch.zeros(kernel * kernel, ins * ins, outs * outs)
    for oy in range(outs):
        for ox in range(outs):
            for ky in range(kernel):
                for kx in range(kernel):
                    y, x = oy * stride + ky - padding, ox * stride + kx - padding
                    if 0 <= y < ins and 0 <= x < ins:
                        table[ky * kernel + kx, y * ins + x, oy * outs + ox] = 1
    return table.flatten(1)


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, taps, stride, padding):
        ctx.save_for_backward(x, weight, taps)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(x, weight, None, stride, padding, 1, x.shape[1])

    @staticmethod
    def backward(ctx, grad):
        x, weight, taps = ctx.saved_tensors
        n, c = x.shape[:2]
        grad_x = torch.ops.aten.convolution_backward(
            grad, x, weight, None, ctx.stride, ctx.padding, [1, 1], False, [0, 0], c, [True, False, False])[0]
        positions = lambda t: t.permute(0, 2, 3, 1).reshape(n, -1, c)
        pairs = (positions(x)[:, :, None] * positions(grad)[:, None]).sum(0)
        grad_w = (taps @ pairs.reshape(-1, c)).t().reshape(weight.shape)
        return grad_x, grad_w, None, None, None


def _forward(module, x):
    outs = (x.shape[2] + 2 * module.padding[0] - module.kernel_size[0]) // module.stride[0] + 1
    if (x.shape[2] * outs) ** 2 > MAX_PAIRS:
        return F.conv2d(x, module.weight, None, module.stride, module.padding, 1, module.groups)
    taps = module.taps.get(x.shape[2])
    if taps is None:
        taps = module.taps[x.shape[2]] = _taps(x.shape[2], outs, module.kernel_size[0], module.stride[0], module.padding[0])
    return _Depthwise.apply(x, module.weight, taps, list(module.stride), list(module.padding))


def speed_up(model):
    """Gives every 5x5 depthwise convolution of the model the faster gradient. Square inputs only.

    Run the model once in eager mode at each input size before compiling it, so
    that the tables of taps exist by then.
    """
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d) and module.groups > 1 and module.kernel_size == (5, 5):
            module.taps = {}
            module.forward = functools.partial(_forward, module)
