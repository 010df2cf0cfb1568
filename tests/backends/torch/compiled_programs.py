"""Programs compiled by torch, each checked against the eager one; run by ``test_solve_compiled``.

In a process of its own, since the checks of shapes that tests put around every function are
nothing that torch's compiler can see through, and since here nobody has imported ``bargain_torch``
before the first program is traced.
"""

import json
import sys
import traceback
import warnings

import torch

import bargain
from bargain import FixedPoint, Status

PROGRAMS = {}
DEVICE = torch.device("cpu")


def program(check):
    PROGRAMS[check.__name__] = check
    return check


def compiled(function, backend="aot_eager", **options):
    return torch.compile(function, fullgraph=True, backend=backend, **options)


def loss(gram, weights):
    outcome = bargain.nash((gram + gram.mT) / 2, weights)
    factors = torch.arange(1.0, gram.shape[-1] + 1, dtype=gram.dtype, device=gram.device)
    decided = outcome.coefficients, outcome.utilities, outcome.shares
    return torch.stack([(factors * part).sum() for part in decided]).sum()


def game(players=4, *batch):
    torch.manual_seed(0)
    gradients = torch.randn(*batch, players, players + 3, dtype=torch.float64).to(DEVICE)
    weights = torch.rand(*batch, players, dtype=torch.float64).to(DEVICE) + 0.5
    return gradients @ gradients.mT, weights


def check_forward_and_backward(backend):
    gram, weights = game()
    fast = compiled(loss, backend)
    torch.testing.assert_close(fast(gram, weights), loss(gram, weights))
    leaves = [values.requires_grad_() for values in (gram, weights)]
    found = torch.autograd.grad(fast(*leaves), leaves)
    expected = torch.autograd.grad(loss(*leaves), leaves)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


@program
def forward_and_backward():
    check_forward_and_backward("aot_eager")


@program
def forward_and_backward_by_inductor():
    check_forward_and_backward("inductor")


@program
def a_solver_with_options():
    """Made while tracing, and before."""
    gram, _ = game()
    active = torch.tensor([True, True, False, True], device=DEVICE)
    rough = FixedPoint(tol=1e-2)

    def solve(gram, active):
        inner = FixedPoint(tol=1e-4)
        options = {"active": active, "radius": 2.0, "max_steps": 50}
        return bargain.nash(gram, solver=inner, **options), bargain.nash(gram, solver=rough)

    found, expected = compiled(solve)(gram, active), solve(gram, active)
    for ours, theirs in zip(found, expected, strict=True):
        assert isinstance(ours, bargain.Outcome)
        assert int(ours.steps) == int(theirs.steps)
        assert float(ours.residual) == float(theirs.residual)
        assert torch.equal(ours.utilities, theirs.utilities)
    assert int(expected[0].steps) > int(expected[1].steps)


@program
def a_disagreement_point():
    def solve(gram):
        return bargain.nash(gram, disagreement=[0.01] * 4).coefficients

    gram, _ = game()
    assert torch.equal(compiled(solve)(gram), solve(gram))


@program
def solve_and_its_game():
    def solve(gram, weights):
        return bargain.solve(bargain.GradientGame(gram, weights)).shares

    gram, weights = game()
    torch.testing.assert_close(compiled(solve)(gram, weights), weights / weights.sum())


@program
def shapes_that_change():
    solve = compiled(lambda gram: bargain.nash(gram).coefficients, dynamic=True)
    for players in (3, 4, 5):
        gram, _ = game(players, players + 1)
        torch.testing.assert_close(solve(gram), bargain.nash(gram).coefficients)


@program
def an_invalid_game_is_a_status():
    outcome = compiled(bargain.nash)(torch.full((2, 2), torch.nan, device=DEVICE))
    assert int(outcome.status) == Status.NONFINITE
    assert outcome.coefficients.isnan().all()


@program
def transforms_inside():
    grams, weights = game(4, 3)
    mapped = torch.func.vmap(loss)
    torch.testing.assert_close(compiled(mapped)(grams, weights), mapped(grams, weights))
    slope = torch.func.grad(loss)
    found = compiled(slope)(grams[0], weights[0])
    torch.testing.assert_close(found, slope(grams[0], weights[0]))


def main(device, names):
    global DEVICE  # noqa: PLW0603 - the programs are run in a process of their own
    DEVICE = torch.device(device)
    warnings.simplefilter("ignore")
    failures = {}
    for name in names:
        torch.compiler.reset()
        try:
            PROGRAMS[name]()
        except Exception:
            failures[name] = traceback.format_exc()
    print(json.dumps(failures))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
