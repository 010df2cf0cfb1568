"""Something is not finite, or wrong, on one rank."""

from functools import partial

from bargain_torch.backward import backward
from bargain_torch.balancer import Balancer
from tests.backends.torch.distributed.agreement import (
    assert_gradients,
    assert_one_step,
    gradients,
    refused,
)
from tests.backends.torch.distributed.model import batch, broken, new_model, part, rank
from tests.backends.torch.distributed.registry import on


@on(2)
def one_policy_for_all_ranks():
    for where in ("loss", "gradient"):
        model, alone = new_model(), new_model()
        with refused(f"found NaN or infinity in the {where} of b", model):
            backward(broken(model, where), model.shared, replicas=model)
        step = backward(broken(model, where), model.shared, replicas=model, nonfinite="skip")
        assert step.skipped
        assert all(parameter.grad is None for parameter in model.parameters())
        step = backward(broken(model, where), model.shared, replicas=model, nonfinite="drop")
        assert step.coefficients[1] == 0
        assert_one_step(step)
        backward({**alone(batch()), "b": None}, alone.shared, active=[True, False, True])
        assert_gradients(model, gradients(alone))


@on(2)
def what_is_wrong_on_one_rank_raises_on_all():
    model = new_model()
    play = partial(backward, replicas=model)
    losses, shared, here = model(batch()), model.shared, rank() == 1
    fewer = {name: losses[name] for name in ("ab" if here else "abc")}
    with refused("losses: expected the same .* c as number 2 on rank 0 and nothing on", model):
        play(fewer, shared)
    others = {name.upper() if here else name: loss for name, loss in losses.items()}
    with refused("losses: expected the same .* a as number 0 on rank 0 and A on rank 1", model):
        play(others, shared)
    message = "weights: expected the same .* 1.0 as number 1 on rank 0 and 2.0 on rank 1"
    with refused(message, model):
        play(losses, shared, weights=[1, 2 if here else 1, 1])
    with refused("heads: expected the same .* found plain on rank 0 and weighted", model):
        play(losses, shared, heads="weighted" if here else "plain")
    with refused("parameters: expected the same .* number 1 on rank 0 and .* on rank 1", model):
        play(losses, shared[:3] if here else shared[::2])
    kind = TypeError if here else ValueError
    with refused("a tensor for task 'b', found float", model, kind):
        play({**losses, "b": 1.0 if here else losses["b"]}, shared)
    where = "" if here else "rank 1 stopped with ValueError: "
    with refused(f"{where}losses: expected each to depend .* the loss of b depends", model):
        play(
            {**losses, "b": losses["b"].detach().requires_grad_() if here else losses["b"]}, shared
        )


@on(2)
def balancers_that_remember_different_steps():
    model = new_model()
    balancer = Balancer(model.shared, every=5, replicas=model)
    balancer.backward(model(part(batch())))
    if rank() == 1:
        balancer = Balancer(model.shared, every=5, replicas=model)
    model.zero_grad()
    with refused(r"memory: expected the same .* load the same state_dict\(\)", model):
        balancer.backward(model(part(batch())))


@on(2)
def replicas_that_cannot_be():
    model = new_model()
    with refused("replicas: expected a module or a process group .* found str", model, TypeError):
        backward(model(batch()), model.shared, replicas="all")
    with refused("method: expected one of auto, sequential, batched with these", model):
        backward(model(batch()), model.shared, replicas=model, method="ghost")
