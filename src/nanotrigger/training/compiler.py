"""Compile a function of tensors with torch's compiler, without torch.compile around it."""

import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten

from nanotrigger.tools import fault_of_temporary_folder


def compiled(function: Callable[..., Any], *arguments: Any, concurrent: bool = False) -> Callable[..., Any]:
    """Return the function compiled for tensors of these shapes, or as it is if that fails; called with them, flat.

    It must not look at their values. With `concurrent` its kernels are called by C++, which two threads can do at once:
    it does not hold Python's lock.
    """
    # imported late: they take seconds, and a short training needs neither
    import torch._inductor
    from torch.fx.experimental.proxy_tensor import make_fx

    tensors, structure = tree_flatten(arguments)
    is_on_gpu = any(tensor.is_cuda for tensor in tensors)

    def flat(*tensors: Tensor) -> Any:
        return function(*tree_unflatten(tensors, structure))

    options = {
        "fallback_random": True,  # the random numbers that torch would draw
        "size_asserts": False,  # the shapes are those of the arguments
        "cpp_wrapper": concurrent,
        "assert_indirect_indexing": False,  # rows come from a permutation
        "combo_kernels": is_on_gpu,  # what is independent of each other, at once
    }
    try:
        with uninterrupted(), nullcontext() if is_on_gpu else as_one_thread_may(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"torch\.")  # of torch about itself
            graph = make_fx(flat, tracing_mode="fake", _allow_non_fake_inputs=True)(*tensors)
            return torch._inductor.standalone_compile(
                graph, tensors, dynamic_shapes="from_example_inputs", options={"config_patches": options}
            )
    except Exception as error:  # of whatever kind: there is nothing that training needs to be compiled for
        reason = fault_of_temporary_folder(str(error)) or " ".join(str(error).split())[:200]
        warnings.warn(f"the training step is not compiled, and slower: {reason}", stacklevel=2)
        return flat


@contextmanager
def as_one_thread_may() -> Iterator[None]:
    """Let torch's compiler fuse sums that it would keep apart to be deterministic, which one thread is in any case."""
    former = torch.get_deterministic_debug_mode()
    if torch.get_num_threads() == 1:
        torch.set_deterministic_debug_mode("default")
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(former)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Have Ctrl-C wait for the end of the block: torch's compiler may swallow it."""
    is_heard = (
        threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) != signal.SIG_IGN
    )
    if not is_heard:
        yield
        return
    waiting: list[int] = []
    former = signal.signal(signal.SIGINT, lambda number, frame: waiting.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
        if waiting:  # also if the block raised: what it runs may have been interrupted too
            raise KeyboardInterrupt
