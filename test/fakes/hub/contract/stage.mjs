// A test forge for somebody else's client to work with: client.mjs SERVER ROOT LOG starts it, arranges what the story needs,
// and checks what the client makes of the answers, a line of TAP for each step.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";

const [server, root, log] = process.argv.slice(2);

export const url = execFileSync("python3", [server, "--root", root, "--log", log, "--parent", String(process.pid)], {
	encoding: "utf8",
	// It keeps what it inherits until it ends: a pipe for its errors would never end.
	stdio: ["ignore", "pipe", "inherit"],
}).trim();

export async function arrange(method, path, body) {
	const answer = await fetch(`${url}/_test/${path}`, { method, body: JSON.stringify(body) });
	assert.equal(answer.status, 200);
	return answer.json();
}

// In the forge's own copy of a repository.
export function hands(path) {
	const git = (...args) => execFileSync("git", ["-C", path, ...args], { encoding: "utf8" }).trim();
	// A branch with a change of its own on main; its tip.
	function branch(name) {
		const who = ["-c", "user.name=Emilia", "-c", "user.email=emilia@example.com"];
		const tip = git("rev-parse", "refs/heads/main");
		const blob = execFileSync("git", ["-C", path, "hash-object", "-w", "--stdin"], { input: name, encoding: "utf8" }).trim();
		const entries = git("ls-tree", tip) + `\n100644 blob ${blob}\t${name}\n`;
		const tree = execFileSync("git", ["-C", path, "mktree"], { input: entries, encoding: "utf8" }).trim();
		const head = git(...who, "commit-tree", tree, "-p", tip, "-m", `change ${name}`);
		git("update-ref", `refs/heads/${name}`, head);
		return head;
	}
	return { git, branch };
}

export async function step(name, body) {
	try {
		await body();
		console.log(`ok ${name}`);
	} catch (e) {
		process.exitCode = 1;
		console.log(`not ok ${name}`);
		console.log(String(e.stack).replace(/^/gm, "#   "));
	}
}
