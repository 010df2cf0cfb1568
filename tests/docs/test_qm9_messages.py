"""The message-passing network of the study of QM9, on a few made molecules."""

import importlib.util
import sys

import numpy as np
import pytest
import torch

import bargain_torch

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("torch_geometric") is None,
        reason="needs torch_geometric: pip install torch-geometric",
    ),
    # What the package itself asks of PyTorch when it is imported.
    pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning"),
]


@pytest.fixture
def molecules(modules):
    """Chains of heavy atoms, each with hydrogens, whose properties depend on what they are."""
    Molecule = modules("qm9_molecules").Molecule
    rng = np.random.default_rng(0)
    found = []
    for _ in range(24):
        heavy = rng.integers(1, 5, size=rng.integers(2, 5))
        spine = 1.4 * np.column_stack([np.arange(len(heavy)), np.zeros((len(heavy), 2))])
        places = np.concatenate([spine, spine + np.asarray([0.0, 1.0, 0.0])])
        elements = np.concatenate([heavy, np.zeros_like(heavy)])
        found.append(Molecule(elements, places, rng.normal(size=11) * 0.1 + heavy.sum()))
    return found


def test_graphs_hold_atoms_bonds_and_distances(modules, molecules):
    messages = modules("qm9_messages")
    molecule = molecules[0]
    heavy, graph = len(molecule.elements) // 2, messages.graph_of(molecules[0])
    assert graph.x.shape == (2 * heavy, messages.NODE)
    assert graph.edge_index.shape == (2, 2 * heavy * (2 * heavy - 1))
    assert not graph.has_self_loops()
    assert graph.is_undirected()
    kinds = graph.x[:, :5].argmax(dim=1)
    np.testing.assert_array_equal(kinds, molecule.elements)
    # A chain of n heavy atoms has n - 1 bonds, and each of them one to its hydrogen.
    assert float(graph.edge_attr[:, 0].sum()) == 2 * (2 * heavy - 1)
    np.testing.assert_array_equal(graph.x[:heavy, -1], np.ones(heavy))


def test_predictions_do_not_see_turns_and_the_order_of_atoms(modules, molecules):
    messages = modules("qm9_messages")
    torch.manual_seed(0)
    model, rng = messages.Messages(), np.random.default_rng(3)
    turn, moved = np.linalg.qr(rng.normal(size=(3, 3)))[0], []
    for molecule in molecules:
        order = rng.permutation(len(molecule.elements))
        places = molecule.places[order] @ turn
        moved.append(molecule._replace(elements=molecule.elements[order], places=places))
    rows = torch.arange(len(molecules))
    found, again = (model(messages.Graphs(some)[rows]) for some in (molecules, moved))
    torch.testing.assert_close(again, found, atol=1e-5, rtol=1e-5)
    assert found.std(dim=0).min() > 1e-5
    # Together or one by one.
    torch.testing.assert_close(model(messages.Graphs(molecules)[rows[3:4]])[0], found[3])


def test_bargaining_over_its_trunk_lowers_every_loss(modules, molecules):
    problem, messages = modules("qm9_problem"), modules("qm9_messages")
    graphs = messages.Graphs(molecules)
    task = problem.Properties(
        graphs, graphs.properties, problem.Sizes(16, 0, 8), "standardised", batch=16
    )
    torch.manual_seed(0)
    model = messages.Messages()
    balancer = bargain_torch.Balancer(model.trunk.parameters())
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    batch = next(iter(task.data()))
    before = losses_of(task, model, batch)
    for _ in range(25):
        optimizer.zero_grad()
        step = balancer.backward(task.losses(model, batch))
        optimizer.step()
    after = losses_of(task, model, batch)
    assert all(after[name] < 0.8 * before[name] for name in before)
    np.testing.assert_allclose(step.outcome.shares, np.full(11, 1 / 11), atol=1e-3)


def losses_of(task, model, batch):
    with torch.no_grad():
        return {name: float(loss) for name, loss in task.losses(model, batch).items()}


def test_the_script_trains_it(modules, molecules, tmp_path, monkeypatch, capsys):
    study = modules("qm9")
    monkeypatch.setattr(study, "QUICK", modules("qm9_problem").Sizes(32, 0, 16))
    monkeypatch.setattr(study, "find_folder", lambda: tmp_path)
    monkeypatch.setattr(study, "read_molecules", lambda folder, count: (2 * molecules)[:count])
    options = ["--model", "messages", "--quick", "--seeds", "1", "--folder", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["qm9.py", *options])
    study.main()
    printed = capsys.readouterr().out
    for name in ("LS", "SI", "Nash", "Nash, every 10"):
        assert f"| {name} |" in printed


def test_a_missing_package_is_one_sentence_with_the_command(modules, monkeypatch, tmp_path):
    study = modules("qm9")
    monkeypatch.setattr(study, "find_folder", lambda: tmp_path)
    monkeypatch.setitem(sys.modules, "torch_geometric.data", None)
    monkeypatch.delitem(sys.modules, "qm9_messages", raising=False)
    monkeypatch.setattr(sys, "argv", ["qm9.py", "--model", "messages", "--quick"])
    with pytest.raises(SystemExit, match=r"needs torch_geometric.*pip install torch-geometric$"):
        study.main()
