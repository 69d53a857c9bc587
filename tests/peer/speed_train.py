"""Rounds of training by BigGAN-PyTorch: speed_train.py CHECKOUT CONFIG THREADS

The networks, losses and optimisers of its checkout (github.com/ajbrock/BigGAN-PyTorch), in the order of its train_fns.py;
CONFIG is the JSON that our own side trains by. R1 and R2 are those of Mescheder et al. 2018.
"""

import contextlib
import json
import sys

import torch

import player

checkout, config, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
sys.path.insert(0, checkout)
import BigGAN  # noqa: E402
import losses  # noqa: E402

with open(config) as file:
    config = json.load(file)
g, d = config["generator"], config["discriminator"]
penalties = [config["techniques"].get(name) for name in ("r1", "r2")]
batch, classes, side = config["batch_size"], g["classes"], g["resolution"]
before = player.now()
common = dict(resolution=side, n_classes=classes, BN_eps=g["bn_eps"], SN_eps=g["sn_eps"])
common["adam_eps"] = config["adam_g"]["eps"]
attention = "_".join(map(str, g["attention"])) or "0"
of_g = dict(G_ch=g["channels"], dim_z=g["z_dim"], G_attn=attention, G_shared=True, hier=True)
of_g.update(shared_dim=g["class_embedding"]["dim"])
# it reports its sizes on standard output, where a player answers
with contextlib.redirect_stdout(sys.stderr):
    G = BigGAN.Generator(G_lr=config["adam_g"]["lr"], **of_g, **common)
    D = BigGAN.Discriminator(
        D_ch=d["channels"], D_attn=attention, D_lr=config["adam_d"]["lr"], **common
    )
    average = BigGAN.Generator(skip_init=True, no_optim=True, **of_g, **common)
G.train()
D.train()


def latents():
    return torch.randn(batch, G.dim_z), torch.randint(0, classes, (batch,))


def penalty(images, labels, gamma):
    images = images.detach().requires_grad_(True)
    gradient = torch.autograd.grad(D(images, labels).sum(), images, create_graph=True)[0]
    return 0.5 * gamma * gradient.square().sum() / batch


def train(net, on):
    for parameter in net.parameters():
        parameter.requires_grad_(on)


def work():
    train(D, True)
    train(G, False)
    for _ in range(config["d_steps"]):
        x, y = torch.rand(batch, 3, side, side) * 2 - 1, torch.randint(0, classes, (batch,))
        z, labels = latents()
        D.optim.zero_grad()
        with torch.no_grad():
            fake = G(z, G.shared(labels))
        logits = D(torch.cat([fake, x]), torch.cat([labels, y]))
        loss = sum(losses.loss_hinge_dis(logits[:batch], logits[batch:]))
        for of, images, label in zip(penalties, (x, fake), (y, labels)):
            if of:
                loss = loss + penalty(images, label, of["gamma"])
        loss.backward()
        D.optim.step()
    train(D, False)
    train(G, True)
    z, labels = latents()
    G.optim.zero_grad()
    losses.loss_hinge_gen(D(G(z, G.shared(labels)), labels)).backward()
    G.optim.step()
    decay = config["ema"]["decay"]
    with torch.no_grad():
        ours, theirs = average.state_dict(), G.state_dict()
        for name, value in ours.items():
            if value.is_floating_point():
                value.mul_(decay).add_(theirs[name], alpha=1 - decay)


work()
player.play(before, work)
