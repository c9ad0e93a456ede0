"""What the name of a cloud's instance type tells that no label does: network, its features, local disks.

Only types that LLM workloads use, and only what their vendors publish; a label always wins over this table. Sources: the
"Networking" and "Instance store" columns of AWS's instance type pages, Azure's ND series pages, Google Cloud's GPU machine
types page, as of 2026.
"""

from __future__ import annotations

import msgspec


class InstanceType(msgspec.Struct, frozen=True):
    network_gbps: float = 0.0
    network_features: tuple[str, ...] = ()
    storage_types: tuple[str, ...] = ()


_EFA = ("efa",)
_IB = ("infiniband",)
_NVME = ("nvme",)

INSTANCE_TYPES = {
    "p3dn.24xlarge": InstanceType(100, _EFA, _NVME),
    "p4d.24xlarge": InstanceType(400, _EFA, _NVME),
    "p4de.24xlarge": InstanceType(400, _EFA, _NVME),
    "p5.48xlarge": InstanceType(3_200, _EFA, _NVME),
    "p5e.48xlarge": InstanceType(3_200, _EFA, _NVME),
    "p5en.48xlarge": InstanceType(3_200, _EFA, _NVME),
    "g4dn.12xlarge": InstanceType(50, (), _NVME),
    "g4dn.metal": InstanceType(100, (), _NVME),
    "g5.24xlarge": InstanceType(50, (), _NVME),
    "g5.48xlarge": InstanceType(100, (), _NVME),
    "g6.24xlarge": InstanceType(50, (), _NVME),
    "g6.48xlarge": InstanceType(100, (), _NVME),
    "g6e.48xlarge": InstanceType(400, (), _NVME),
    "c5n.18xlarge": InstanceType(100),
    "m5n.24xlarge": InstanceType(100),
    "c6in.32xlarge": InstanceType(200),
    "trn1.32xlarge": InstanceType(800, _EFA, _NVME),
    "trn1n.32xlarge": InstanceType(1_600, _EFA, _NVME),
    "Standard_ND96asr_v4": InstanceType(1_600, _IB, _NVME),
    "Standard_ND96amsr_A100_v4": InstanceType(1_600, _IB, _NVME),
    "Standard_ND96isr_H100_v5": InstanceType(3_200, _IB, _NVME),
    "a2-highgpu-8g": InstanceType(100),
    "a2-ultragpu-8g": InstanceType(100, (), _NVME),
    "a3-highgpu-8g": InstanceType(1_000, (), _NVME),
    "a3-megagpu-8g": InstanceType(1_800, (), _NVME),
}
UNKNOWN_TYPE = InstanceType()
