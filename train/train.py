"""Trains MobileNetV3-Large from scratch on CIFAR-10 upscaled to 48, 64 and at last 80 px, on CPU cores.

One process per core, each with its own half of every batch; gradients are
averaged over gloo. The learning rate warms up, stays, falls linearly to zero
over --decay epochs, and then once more from --again of its peak over the late
epochs at the final size. Every epoch writes a checkpoint that --resume continues
from, to the bit.

    python train.py --train cifar10-train.zip --test cifar10-test.zip --out run
"""
import argparse
import copy
import json
import os
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torchvision
from safetensors.torch import load_file
from torch.nn import functional as F

import dataset
import depthwise
from muon import Muon

MEAN = torch.tensor([0.485, 0.456, 0.406])[None, :, None, None] * 255
STD = torch.tensor([0.229, 0.224, 0.225])[None, :, None, None] * 255


def prepare(images, px):
    """uint8 N x 3 x h x w -> float32 N x 3 x px x px, resized as Pillow does (integer bilinear), normalised."""
    images = images.contiguous(memory_format=torch.channels_last)
    if images.shape[-1] != px:
        images = F.interpolate(images, size=px, mode="bilinear", align_corners=False, antialias=True)
    return ((images.float() - MEAN) / STD).contiguous(memory_format=torch.channels_last)


def augment(images, epoch, rng, cutout):
    """Random 4-pixel shifts, mirror images (alternating by epoch, so that both are seen equally) and a cut-out square."""
    n = len(images)
    padded = F.pad(images, (4, 4, 4, 4), mode="reflect")
    out = torch.empty_like(images)
    shift = torch.randint(0, 81, (n,), generator=rng)
    for s in range(81):
        of = shift == s
        out[of] = padded[of][:, :, s // 9:s // 9 + 32, s % 9:s % 9 + 32]
    flip = (torch.rand(n, generator=torch.Generator().manual_seed(1)) < 0.5) ^ (epoch % 2 == 1)
    out[flip] = out[flip].flip(3)
    if cutout:
        centre = torch.randint(0, 32, (n, 2), generator=rng)
        near = lambda c: (torch.arange(32)[None] - c[:, None]).abs() < cutout // 2
        hole = near(centre[:, 0])[:, None, :, None] & near(centre[:, 1])[:, None, None, :]
        out.masked_fill_(hole, 120)
    return out


@torch.no_grad()
def accuracy(net, images, labels, px):
    net.eval()
    right = 0
    for s in range(0, len(images), 250):
        right += (net(prepare(images[s:s + 250], px)).argmax(1) == labels[s:s + 250]).sum().item()
    return right / len(images)


def optimisers(model, args):
    matrices, decayed, plain = [], [], []
    for name, p in model.named_parameters():
        pointwise = p.ndim == 4 and p.shape[2] == 1 and ".fc" not in name
        if pointwise and args.muon > 0:
            matrices.append(p)
        else:
            (decayed if p.ndim > 1 else plain).append(p)
    groups = [dict(params=decayed, weight_decay=0.05), dict(params=plain, weight_decay=0.0)]
    chosen = [torch.optim.AdamW(groups, lr=args.lr, fused=True)]
    if matrices:
        chosen.append(Muon(matrices, lr=args.muon, weight_decay=args.muon_decay))
    for optimiser in chosen:
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return chosen


def work(rank, world, args):
    torch.set_num_threads(args.threads)
    # The momenta of channels that died fade into denormal numbers, on which
    # matrix products are many times slower.
    torch.set_flush_denormal(True)
    os.nice(args.nice)
    if world > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(args.port))
        dist.init_process_group("gloo", rank=rank, world_size=world)
    x, y = dataset.load(args.train, args.out, True)
    test_x, test_y = dataset.load(args.test, args.out, False)

    torch.manual_seed(args.seed)
    model = torchvision.models.mobilenet_v3_large(num_classes=10, dropout=args.dropout)
    model = model.to(memory_format=torch.channels_last)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.1  # torchvision's 0.01 is too slow for a run this short
    if args.start:
        model.load_state_dict({k: v.float() for k, v in load_file(args.start).items()}, strict=False)
    depthwise.speed_up(model)
    average = copy.deepcopy(model)
    opts = optimisers(model, args)
    for px in {args.early_px, args.px, args.late_px}:
        model.eval()(torch.zeros(1, 3, px, px))
    run = torch.compile(model, dynamic=False) if args.compile else model

    first = 0
    file = os.path.join(args.out, "checkpoint.pt")
    if args.resume and os.path.exists(file):
        saved = torch.load(file, weights_only=True)
        first = saved["epoch"] + 1
        model.load_state_dict(saved["model"])
        average.load_state_dict(saved["average"])
        for opt, state in zip(opts, saved["optimisers"]):
            opt.load_state_dict(state)

    local = args.batch // world
    steps = len(x) // args.batch
    for epoch in range(first, args.epochs):
        began = time.time()
        px = args.early_px if epoch < args.early else args.px if epoch < args.late else args.late_px
        rng = torch.Generator().manual_seed(args.seed * 1000 + epoch)
        order = torch.randperm(len(x), generator=rng)
        images = augment(x, epoch, rng, args.cutout)
        torch.manual_seed(args.seed * 1000 + epoch + 500 * rank)
        model.train()
        total = 0.0
        for step in range(steps):
            at = (epoch * steps + step) / steps
            rate = min(1.0, (at + 1e-3) / args.warmup, max(0.0, (args.late - at) / args.decay))
            if epoch >= args.late:
                rate = args.again * (args.epochs - at) / (args.epochs - args.late)
            for opt in opts:
                for group in opt.param_groups:
                    group["lr"] = group["peak"] * rate
            mine = order[step * args.batch + rank * local:step * args.batch + (rank + 1) * local]
            loss = F.cross_entropy(run(prepare(images[mine], px)), y[mine], label_smoothing=args.smooth)
            loss.backward()
            if world > 1:
                grads = [p.grad for p in model.parameters()]
                flat = torch.cat([g.flatten() for g in grads]).div_(world)
                dist.all_reduce(flat)
                torch._foreach_copy_(grads, [part.view(g.shape) for part, g in zip(flat.split([g.numel() for g in grads]), grads)])
            torch.nn.utils.clip_grad_norm_(model.parameters(), args.clip)
            for opt in opts:
                opt.step()
            model.zero_grad(set_to_none=True)
            total += loss.item()
            if rank == 0:
                limit = args.average if epoch < args.late else args.late_average
                keep = min(limit, (epoch * steps + step + 1) / (epoch * steps + step + 10))
                with torch.no_grad():
                    pairs = [(a, b) for a, b in zip(average.state_dict().values(), model.state_dict().values()) if a.dtype.is_floating_point]
                    torch._foreach_lerp_([a for a, _ in pairs], [b for _, b in pairs], 1 - keep)
        took = time.time() - began
        if rank == 0:
            last = epoch >= args.epochs - 3
            few = slice(None) if last else slice(0, None, 5)
            line = dict(epoch=epoch, px=px, loss=round(total / steps, 4), seconds=round(took, 1),
                        top1=accuracy(model, test_x[few], test_y[few], px), top1_average=accuracy(average, test_x[few], test_y[few], px))
            print(json.dumps(line), flush=True)
            torch.save(dict(epoch=epoch, model=model.state_dict(), average=average.state_dict(),
                            optimisers=[o.state_dict() for o in opts], arguments=vars(args)), file + ".tmp")
            if os.path.exists(file):
                os.replace(file, file + ".previous")
            os.replace(file + ".tmp", file)
        if world > 1:
            dist.barrier()
    if rank == 0:
        better = max((accuracy(net, test_x, test_y, px), name) for name, net in (("last", model), ("average", average)))
        net = model if better[1] == "last" else average
        torch.save({k: v.contiguous() for k, v in net.state_dict().items()}, os.path.join(args.out, "mobilenet_v3_large-cifar10.pth"))
        print(json.dumps(dict(top1=better[0], weights=better[1])), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--train", help="zip or folder of class/image; torchvision downloads CIFAR-10 if absent")
    p.add_argument("--test", help="the same for the 10,000 test images")
    p.add_argument("--out", default="run", help="folder for the cache, the checkpoint and the weights")
    p.add_argument("--epochs", type=int, default=57)
    p.add_argument("--early", type=int, default=18, help="epochs at --early-px before --px")
    p.add_argument("--early-px", type=int, default=48)
    p.add_argument("--px", type=int, default=64)
    p.add_argument("--late", type=int, default=50, help="epoch from which images have --late-px")
    p.add_argument("--late-px", type=int, default=80)
    p.add_argument("--again", type=float, default=0.3, help="share of the peak rate with which the late epochs begin; they fall linearly to zero")
    p.add_argument("--warmup", type=float, default=1.0, help="epochs")
    p.add_argument("--decay", type=float, default=30.0, help="epochs of linear fall to zero before --late")
    p.add_argument("--batch", type=int, default=256)
    p.add_argument("--lr", type=float, default=3e-3, help="AdamW, for all but the pointwise convolutions")
    p.add_argument("--muon", type=float, default=0.02, help="Muon, for the pointwise convolutions; 0: AdamW for all")
    p.add_argument("--muon-decay", type=float, default=0.05)
    p.add_argument("--clip", type=float, default=1.0, help="largest norm of the whole gradient")
    p.add_argument("--smooth", type=float, default=0.1)
    p.add_argument("--cutout", type=int, default=10)
    p.add_argument("--dropout", type=float, default=0.1)
    p.add_argument("--average", type=float, default=0.998)
    p.add_argument("--late-average", type=float, default=0.995)
    p.add_argument("--workers", type=int, default=2, help="processes")
    p.add_argument("--threads", type=int, default=1, help="threads in each")
    p.add_argument("--nice", type=int, default=0)
    p.add_argument("--port", type=int, default=29511)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--compile", action="store_true", help="fuse with torch.compile (needs g++)")
    p.add_argument("--start", help="weights to go on from: a state dict in safetensors, as export.py writes it")
    p.add_argument("--resume", action="store_true")
    args = p.parse_args()
    os.makedirs(args.out, exist_ok=True)
    if args.workers == 1:
        work(0, 1, args)
    else:
        mp.spawn(work, (args.workers, args), args.workers)


if __name__ == "__main__":
    main()
