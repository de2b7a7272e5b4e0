"""What is done in lanes (lane.py): the flows, and several lanes at work on one list of jobs."""

import difflib
import queue
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
