"""The commands of ``bargain`` and their options."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Annotated, NoReturn

import typer

import bargain
from bargain_cli.choices import LABELS, SOLVERS, SolutionName, SolverName, choose_solution
from bargain_cli.game import make_game, player_names, read_matrix
from bargain_cli.input_error import InputError
from bargain_cli.picture_file import check_picture_file
from bargain_cli.report import as_json, print_outcome

__all__ = ["app"]

app = typer.Typer(
    name="bargain",
    rich_markup_mode="rich",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


DEMO_PACKAGES = {"matplotlib", "mlxtend", "threadpoolctl"}


def _end(sentence: str, status: int) -> NoReturn:
    """End the command with one sentence on standard error, in one line whatever its source."""
    typer.echo(f"Error: {' '.join(sentence.split())}", err=True)
    raise typer.Exit(status)


def _drawing() -> Callable[..., None]:
    """Return what draws an outcome, if matplotlib is there."""
    try:
        from bargain_cli.picture import draw_outcome
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "matplotlib":
            raise
        _end(
            "--plot needs matplotlib, which is not installed; "
            'run: pip install "bargain-solvers[plot]"',
            status=2,
        )
    return draw_outcome


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bargain {bargain.__version__}")
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Many objectives, one decision: bargaining solutions, each with its proof."""


@app.command(
    "solve",
    epilog="Example:  bargain solve gram.csv --weights 1,1,2 --names speed,cost,safety",
)
def solve_file(
    file: Annotated[
        Path,
        typer.Argument(
            help="A .npy, .npz, .csv or .json file with a Gram matrix, shape (K, K): entry (i, j) "
            "is the inner product of the gradients of players i and j. With - CSV or JSON is read "
            "from the standard input.",
            show_default=False,
        ),
    ],
    gradients: Annotated[
        bool,
        typer.Option("--gradients", help="FILE holds gradients, shape (K, P), a row a player."),
    ] = False,
    key: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which array of a file with several.")
    ] = None,
    index: Annotated[
        int | None, typer.Option(metavar="N", help="Which matrix of a stack (N, K, K), from 0.")
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="W",
            help="Bargaining weights: 1,2,3 or a file. A player's share of the update is its "
            "weight divided by the sum of all. Without it every player weighs 1.",
        ),
    ] = None,
    disagreement: Annotated[
        str | None,
        typer.Option(
            metavar="D",
            help="What each player has without an agreement: 0.1,0,0 or a file. Without it all "
            "have 0.",
        ),
    ] = None,
    radius: Annotated[
        float,
        typer.Option(
            metavar="R",
            help="Greatest length of the update. Utilities grow with it; what is agreed depends on "
            "it with D only.",
        ),
    ] = 1.0,
    solution: Annotated[
        SolutionName, typer.Option(case_sensitive=False, help="Which agreement is meant.")
    ] = SolutionName.NASH,
    alpha: Annotated[
        float | None, typer.Option(metavar="A", help="The order of the alpha-fair solution.")
    ] = None,
    solver: Annotated[
        SolverName | None,
        typer.Option(help="How it is found. Without it: the one that suits the game."),
    ] = None,
    max_steps: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Give up after so many steps.")
    ] = None,
    precision: Annotated[
        float | None,
        typer.Option(
            metavar="EPS",
            help="Relative precision of the numbers in FILE, if coarser than their type: 1e-7 for "
            "single precision that was written as text.",
        ),
    ] = None,
    names: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Names of the players.")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw the shares into a .png, .svg or .pdf file, and the gradients if FILE holds "
            "some of two parameters.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print every number of the outcome as JSON.")
    ] = False,
) -> None:
    """Solve the bargaining game in FILE and print the agreement with its proof.

    That there is no agreement is an answer too, and is printed with its certificate. The exit
    status is 0 for an answer, 1 if the solver ran out of steps, and 2 for input that is no game.
    """
    try:
        if plot is not None:
            check_picture_file(plot)
        matrix = read_matrix(file, gradients=gradients, key=key, index=index)
        game = make_game(
            matrix,
            file,
            gradients=gradients,
            weights=weights,
            disagreement=disagreement,
            radius=radius,
        )
        players = player_names(names, game.gram.shape[0])
        start = perf_counter()
        outcome = bargain.solve(
            game,
            choose_solution(solution, alpha),
            None if solver is None else SOLVERS[solver](),
            max_steps=max_steps,
            precision=precision,
        )
        seconds = perf_counter() - start
        if plot is not None:
            draw = _drawing()
            rows = matrix if gradients else None
            labels = None if names is None else players
            draw(game, outcome, LABELS[solution], plot, names=labels, gradients=rows)
    except (
        InputError,
        ValueError,
        TypeError,
        NotImplementedError,
    ) as error:  # the core's errors are sentences too
        _end(str(error), status=2)
    if json:
        typer.echo(as_json(game, outcome, players))
    else:
        print_outcome(game, outcome, players, seconds)
    if outcome.status not in (bargain.Status.AGREEMENT, bargain.Status.DISAGREEMENT):
        _end(
            f"no answer, steps taken: {int(outcome.steps)}; the numbers are those of the last one, "
            "not of an agreement, so allow more with --max-steps or try another --solver.",
            status=1,
        )


@app.command("demo", epilog="Example:  bargain demo --output front.png")
def run_demo(
    output: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Where the picture goes: a .png, .svg or .pdf file."),
    ] = Path("bargain-demo.png"),
    quick: Annotated[
        bool, typer.Option("--quick", help="Seconds instead of half a minute; a rough picture.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="The first of the random seeds.")] = 0,
) -> None:
    """Train a network on two tasks that compete, with and without bargaining.

    Each image shows two handwritten digits, one over the other; one task reads the left digit, the
    other the right one. A sweep of bargaining weights traces the front between the tasks.
    """
    try:
        from bargain_cli.demo import demonstrate
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in DEMO_PACKAGES:
            raise
        _end(
            f"the demo needs {error.name}, which is not installed; "
            'run: pip install "bargain-solvers[demo]"',
            status=2,
        )
    try:
        demonstrate(output, quick=quick, seed=seed)
    except InputError as error:
        _end(str(error), status=2)


@app.command("verify", epilog="Example:  bargain verify bargain.testing.rules:egalitarian")
def verify_solution(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODULE:FUNCTION]",
            help="A function from a game to payoffs (with --gradients: to coefficients). MODULE is "
            "sought in this folder too.",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="The truth table of the built-in solutions.")
    ] = False,
    methods: Annotated[
        bool, typer.Option("--methods", help="The table of multi-task methods, such as PCGrad.")
    ] = False,
    axiom: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this axiom, or those with NAME in theirs, in any case; repeat.",
        ),
    ] = None,
    gradients: Annotated[
        bool, typer.Option("--gradients", help="The function is one of gradient games.")
    ] = False,
    weights: Annotated[
        bool, typer.Option("--weights", help="Games whose players have different weights.")
    ] = False,
    examples: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Games for each axiom; without it 100, with --all or --methods 60.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed tries the same games.")] = 0,
    jobs: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Processes for --all. Without it: one a core."),
    ] = None,
) -> None:
    """Put a solution before the axioms of bargaining theory, and print the counter-examples.

    The exit status is 0 if every axiom holds (with --all or --methods: if every verdict is what
    theory says), 1 if not, and 2 for a function that cannot be found.
    """
    try:
        from bargain_cli.verify import verify_all, verify_function
        from bargain_cli.verify_methods import verify_methods
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        _end(
            "to verify solutions takes hypothesis, which is not installed; "
            'run: pip install "bargain-solvers[cli,testing]"',
            status=2,
        )
    if (target is not None) + everything + methods != 1:
        _end(
            "expected either MODULE:FUNCTION or --all or --methods; see bargain verify --help.",
            status=2,
        )
    try:
        if methods:
            sound = verify_methods(examples=examples or 60, seed=seed)
        elif target is None:
            sound = verify_all(examples=examples or 60, seed=seed, jobs=jobs)
        else:
            sound = verify_function(
                target,
                names=axiom or [],
                gradients=gradients,
                weights=weights,
                examples=examples or 100,
                seed=seed,
            )
    except InputError as error:
        _end(str(error), status=2)
    if not sound:
        raise typer.Exit(1)
