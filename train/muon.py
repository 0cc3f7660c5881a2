"""Muon: momentum whose update of a weight matrix is orthogonalised (Jordan et al., 2024).

Used for the pointwise convolutions, which are matrices; everything else is
trained by AdamW. Each rank orthogonalises its share of the matrices.
"""
import torch
import torch.distributed as dist


def orthogonalise(g, steps=5):
    """Newton-Schulz iteration towards the nearest semi-orthogonal matrix, quintic coefficients of Muon."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g / (g.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.t()
    for _ in range(steps):
        s = x @ x.t()
        x = a * x + (b * s + c * (s @ s)) @ x
    return x.t() if tall else x


class Muon(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.95, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
        for group in self.param_groups:
            updates = []
            for i, p in enumerate(group["params"]):
                state = self.state[p]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(p)
                m = state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                if i % world == rank:
                    g = p.grad.lerp(m, group["momentum"]).flatten(1)
                    updates.append(orthogonalise(g) * max(1, g.shape[0] / g.shape[1]) ** 0.5)
                else:
                    updates.append(torch.zeros_like(p).flatten(1))
            if world > 1:
                flat = torch.cat([u.flatten() for u in updates])
                dist.all_reduce(flat)
                updates = [part.reshape(u.shape) for part, u in zip(flat.split([u.numel() for u in updates]), updates)]
            for p, u in zip(group["params"], updates):
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(u.reshape(p.shape), alpha=-group["lr"])
