"""What is done in lanes (lane.py): the flows, the drawing of a part, and several lanes at work on one list of jobs."""

import difflib
import os
import queue
import random
import threading
import traceback


MOST_PULLS = 6


def flows(env):
    """Each has an app of its own, or all of them."""
    return {
        "new": ["gp-new", "--group", "one", "--app", "fresh", "--tag", "v1"],
        "reset": ["gp-new", "--group", "two", "--app", "open", "--tag", "v2"],
        "promote": ["gp-promote", "--commit", env["MERGE"]],
        "status": ["gp-status", "--number", "4", "--wait=1s"],
        "refresh": ["gp-refresh"],
    }


def draw(jobs, parts, seed):
    """(part, its jobs): one of so many parts of the jobs, chosen by seed, hexadecimal digits as in a commit's id. Each job
    is in one part, parts differ in size by one at most, and the same seed always chooses the same part."""
    parts = max(1, min(parts, len(jobs)))
    part = int(seed[:8], 16) % parts
    order = list(range(len(jobs)))
    # So that a part has something of each flow and each kind.
    random.Random(parts).shuffle(order)
    return part, [jobs[i] for i in sorted(order[part::parts])]


class Lanes:
    """cells are judged by a subclass. undisturbed: what each flow leaves, and its requests; sound: traces of runs from
    which a flow that is run again is known to leave the same."""

    def __init__(self, lanes):
        self.lanes, self.lock = lanes, threading.Lock()
        self.failures, self.undisturbed, self.sound = [], {}, set()

    def share(self, jobs):
        """Each job, a function of a lane, is done once, by the first lane that is free."""
        todo = queue.Queue()
        for job in jobs:
            todo.put(job)

        def work(lane):
            while True:
                try:
                    job = todo.get_nowait()
                except queue.Empty:
                    return
                try:
                    job(lane)
                except Exception:  # the lane goes on with the next
                    self.fail("a cell", traceback.format_exc())

        threads = [threading.Thread(target=work, args=(lane,)) for lane in self.lanes]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    def draw(self, jobs):
        """(how it is called, the jobs): the part that GP_PARTS and GP_SEED ask for."""
        parts, seed = int(os.environ.get("GP_PARTS", "1")), os.environ.get("GP_SEED") or "0"
        part, drawn = draw(jobs, parts, seed)
        return f"{len(drawn)} of {len(jobs)} (part {part + 1} of {parts}, by {seed[:8]})", drawn

    def fail(self, name, why):
        with self.lock:
            self.failures.append(name)
            print(f"{name}: {why}", flush=True)

    def run_undisturbed(self, names):
        def clean(lane, flow):
            lane.restore()
            done = lane.try_(flows(lane.plain)[flow])
            if done.status or done.err:
                self.fail(flow, f"undisturbed: exit {done.status}\n{done.err}")
            else:
                self.undisturbed[flow] = (lane.state(MOST_PULLS), done.points)

        self.share([lambda lane, f=flow: clean(lane, f) for flow in names])
        return not self.failures

    def check_again(self, lane, name, flow, done, trace=None):
        """Run again, the flow leaves what it leaves undisturbed. Is not looked at twice from one state."""
        known = (flow, *(trace or lane.trace(done)))
        if known in self.sound:
            return None
        before = f"after: exit {done.status} {done.err}"
        again = lane.try_(flows(lane.plain)[flow])
        if again.status or again.err:
            return self.fail(name, f"run again: exit {again.status}\n{again.err}{before}")
        wanted, state = self.undisturbed[flow][0], lane.state(MOST_PULLS)
        if state != wanted:
            lines = difflib.unified_diff(wanted.split("\n"), state.split("\n"), "undisturbed", "run again", n=0, lineterm="")
            return self.fail(name, "\n".join([*lines, before]))
        self.sound.add(known)
        return None
