"""Flags of absl where it is not installed."""

import pytest

from initcheck.construct.stand_ins.flags import Flags


def test_definitions_hold_their_defaults():
    flags = Flags()
    holder = flags.DEFINE_integer("hidden", 64, "units")
    flags.DEFINE_enum("activation", "relu", ["relu", "tanh"], "")
    flags.DEFINE_string("folder", None, "")
    flags.mark_flag_as_required("folder")
    assert (flags.FLAGS.hidden, flags.FLAGS.activation, flags.FLAGS.folder, holder.value) == (64, "relu", None, 64)
    with pytest.raises(AttributeError):
        _ = flags.FLAGS.unknown
    with pytest.raises(AttributeError):
        _ = flags.nothing
