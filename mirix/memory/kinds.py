"""The six record types by kind: the one list that a seventh memory would lengthen."""

from __future__ import annotations

from mirix.memory.core import CoreRecord
from mirix.memory.episodic import EpisodicRecord
from mirix.memory.knowledge_vault import VaultRecord
from mirix.memory.procedural import ProceduralRecord
from mirix.memory.record import MemoryKind, Record
from mirix.memory.resource import ResourceRecord
from mirix.memory.semantic import SemanticRecord

RECORDS: dict[MemoryKind, type[Record]] = {
    record_type.memory_kind: record_type
    for record_type in (CoreRecord, EpisodicRecord, SemanticRecord, ProceduralRecord, ResourceRecord, VaultRecord)
}
