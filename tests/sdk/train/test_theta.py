"""θ as one vector: the module and the vector are the same memory, and the hash sees every bit."""

import torch

from subnetlab.train import models, tasks
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.theta import FlatModel, Layout, theta_hash


def test_module_and_vector_share_their_values(tiny: models.TinyGPT) -> None:
    model = models.build(tiny, 0)
    before = torch.cat([p.detach().reshape(-1).clone() for p in model.parameters()])
    flat = FlatModel(model, tasks.of_model(tiny), AdamWConfig())
    assert torch.equal(flat.theta_P, before)
    flat.load(before + 1)
    assert torch.equal(torch.cat([p.detach().reshape(-1) for p in model.parameters()]), before + 1)


def test_the_gradient_is_that_of_autograd(tiny: models.TinyGPT) -> None:
    x, y = torch.randint(0, 256, (2, 16)), torch.randint(0, 256, (2, 16))
    plain = models.build(tiny, 0)
    logits = plain(x)
    loss = torch.nn.functional.cross_entropy(logits.view(-1, 256), y.view(-1))
    loss.backward()
    expected = torch.cat([p.grad.reshape(-1) for p in plain.parameters() if p.grad is not None])
    model = FlatModel(models.build(tiny, 0), tasks.of_model(tiny), AdamWConfig())
    for _ in range(2):  # the second call starts from zero again
        assert model.differentiate((x, y)) == loss.item()
    torch.testing.assert_close(model.gradient_P, expected)
    assert model.loss((x, y)) == loss.item()


def test_the_layout_names_every_part(layout: Layout) -> None:
    vector = torch.arange(layout.size)
    parts = layout.split(vector)
    assert torch.equal(torch.cat([part.reshape(-1) for part in parts.values()]), vector)
    assert layout.dense_bytes == 4 * layout.size
    assert layout.spans()[-1][1] == layout.size


def test_the_hash_sees_the_last_bit_and_the_sign_of_zero() -> None:
    theta = torch.zeros(100)
    changed = theta.clone()
    changed[99] = torch.nextafter(torch.tensor(0.0), torch.tensor(1.0))
    negative = theta.clone()
    negative[0] = -0.0
    assert (
        len({theta_hash(theta), theta_hash(changed), theta_hash(negative), theta_hash(torch.zeros(101))}) == 4
    )
    assert theta_hash(theta) == theta_hash(torch.zeros(100))
