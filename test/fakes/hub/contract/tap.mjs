// What a contract says, as TAP: complaints by the name of what was held to it. A forge's contract.mjs reads the logs of
// the test forge by lines() and ends with finish().
import { readFileSync } from "node:fs";

const tests = new Map();

export function note(name, complaints) {
	const test = tests.get(name) ?? { count: 0, bad: new Map() };
	test.count += 1;
	for (const text of complaints) test.bad.set(text, (test.bad.get(text) ?? 0) + 1);
	tests.set(name, test);
}

// The requests to the API, with what was asked and answered; what went to git has no body.
export function* lines(files) {
	for (const file of files) {
		for (const text of readFileSync(file, "utf8").split("\n").filter(Boolean)) {
			const line = JSON.parse(text);
			if (line.answer !== undefined || line.body !== undefined) yield line;
		}
	}
}

// What others ask, mistakes on purpose among it, is their affair; what they are answered is not.
export const ours = (line) => line.login === "gp-bot" || /^gp\//.test(line.headers["User-Agent"] ?? "");

// A line for each name; a run that held nothing to anything has failed.
export function finish() {
	let failed = 0;
	for (const [name, test] of [...tests].sort(([a], [b]) => (a < b ? -1 : 1))) {
		console.log(`${test.bad.size ? "not ok" : "ok"} ${name} (${test.count})`.replaceAll("#", "no."));
		for (const [text, count] of [...test.bad].slice(0, 8)) console.log(`#   ${text} (${count} times)`);
		failed += test.bad.size ? 1 : 0;
	}
	process.exitCode = failed || !tests.size ? 1 : 0;
}
