"""Molecules as graphs for PyTorch Geometric, and a small message-passing network for them.

The network is that of the papers in small: edge-conditioned convolutions (NNConv) with a gated unit
for a memory, and Set2Set to read the graph. Every atom hears every other, bonded or not.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from qm9_molecules import ELEMENTS, TARGETS, Molecule

try:
    from torch_geometric.data import Batch, Data
    from torch_geometric.nn import NNConv, Set2Set
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"the message-passing network needs {error.name}: run pip install torch-geometric",
        name=error.name,
    ) from None

RADII = np.asarray((0.31, 0.76, 0.71, 0.66, 0.57))  # covalent, in ångström, of H, C, N, O, F
BUMPS = np.linspace(0.8, 6.0, 8)  # ångström
NODE, EDGE, WIDTH = len(ELEMENTS) + 2, len(BUMPS) + 1, 16


def graph_of(molecule: Molecule) -> Data:
    """A node an atom, and an edge each way for every two of them."""
    count = len(molecule.elements)
    distances = np.linalg.norm(molecule.places[:, None] - molecule.places, axis=-1)
    reach = RADII[molecule.elements]
    bonded = (distances < 1.25 * (reach[:, None] + reach)) & ~np.eye(count, dtype=bool)
    hydrogens = bonded @ (molecule.elements == ELEMENTS.index("H"))
    kinds = np.eye(len(ELEMENTS))[molecule.elements]
    nodes = np.column_stack([kinds, bonded.sum(axis=1), hydrogens])
    sender, receiver = np.nonzero(~np.eye(count, dtype=bool))
    apart = distances[sender, receiver]
    bumps = np.exp(-0.5 * ((apart[:, None] - BUMPS) / (BUMPS[1] - BUMPS[0])) ** 2)
    edges = np.column_stack([bonded[sender, receiver], bumps])
    return Data(
        x=torch.from_numpy(nodes.astype(np.float32)),
        edge_index=torch.from_numpy(np.stack([sender, receiver])),
        edge_attr=torch.from_numpy(edges.astype(np.float32)),
        pos=torch.from_numpy(molecule.places.astype(np.float32)),
    )


class Graphs:
    """Graphs of molecules, which give a batch for any rows."""

    def __init__(self, molecules: Sequence[Molecule]) -> None:
        self.graphs = [graph_of(molecule) for molecule in molecules]
        self.properties = np.stack([molecule.properties for molecule in molecules])

    def __getitem__(self, rows: Tensor) -> Batch:
        return Batch.from_data_list([self.graphs[row] for row in rows.tolist()])


class Messages(nn.Module):
    """A trunk that passes messages, and a linear head for each property."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.heads = nn.Linear(WIDTH, len(TARGETS))

    def forward(self, batch: Batch) -> Tensor:
        return self.heads(self.trunk(batch))


class Trunk(nn.Module):
    """Three rounds of messages, then one vector a molecule."""

    def __init__(self, rounds: int = 3) -> None:
        super().__init__()
        self.rounds = rounds
        self.enter = nn.Linear(NODE, WIDTH)
        edges = nn.Sequential(nn.Linear(EDGE, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH**2))
        self.converse = NNConv(WIDTH, WIDTH, edges, aggr="mean")
        self.remember = nn.GRUCell(WIDTH, WIDTH)
        self.gather = Set2Set(WIDTH, processing_steps=3)
        self.leave = nn.Linear(2 * WIDTH, WIDTH)

    def forward(self, batch: Batch) -> Tensor:
        state = self.enter(batch.x).relu()
        for _ in range(self.rounds):
            heard = self.converse(state, batch.edge_index, batch.edge_attr).relu()
            state = self.remember(heard, state)
        return self.leave(self.gather(state, batch.batch)).relu()
