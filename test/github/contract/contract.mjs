// contract.mjs LOG…: gp's requests in the test forge's logs, and all answers, against what GitHub publishes. Prints a line
// of TAP for each operation that was asked for.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { graphqlAnswer, graphqlRequest, operation, restAnswer, restRequest } from "./published.mjs";

const tests = new Map();
function note(name, complaints) {
	const test = tests.get(name) ?? { count: 0, bad: new Map() };
	test.count += 1;
	for (const text of complaints) test.bad.set(text, (test.bad.get(text) ?? 0) + 1);
	tests.set(name, test);
}

// https://docs.github.com/rest/using-the-rest-api/getting-started-with-the-rest-api#headers
function headers(line) {
	const of = Object.fromEntries(Object.entries(line.headers).map(([name, value]) => [name.toLowerCase(), value]));
	const said = [];
	if (!/^gp\/\d/.test(of["user-agent"] ?? "")) said.push(`User-Agent is ${of["user-agent"]}`);
	if (line.path !== "/graphql") {
		if (of["accept"] !== "application/vnd.github+json") said.push(`Accept is ${of["accept"]}`);
		if (of["x-github-api-version"] !== "2022-11-28") said.push(`X-GitHub-Api-Version is ${of["x-github-api-version"]}`);
	}
	if (line.body && !/^application\/json\b/.test(of["content-type"] ?? "")) said.push(`Content-Type is ${of["content-type"]}`);
	return said;
}

// A document is named by its first words, and by a digest where several begin alike.
function nameOf(line) {
	try {
		const { query } = JSON.parse(line.body);
		const field = /\b(repository|node|\w+AutoMerge)\b[^{]*\{?\s*([\w:]*)/.exec(query.replace(/^[^{]*\{/, ""));
		return `POST /graphql ${field?.[1] ?? ""} ${field?.[2] ?? ""} ${createHash("sha1").update(shape(query)).digest("hex").slice(0, 6)}`;
	} catch {
		return "POST /graphql";
	}
}

// Requests for one commit and for fifty are alike.
const shape = (query) => query.replace(/[0-9a-f]{40}/g, "").replace(/\b[a-z]\d+:/g, "");

for (const log of process.argv.slice(2)) {
	for (const text of readFileSync(log, "utf8").split("\n").filter(Boolean)) {
		const line = JSON.parse(text);
		if (line.answer === undefined && line.body === undefined) continue;
		// What others ask, mistakes on purpose among it, is their affair; what they are answered is not.
		const ours = line.login === "gp-bot" || /^gp\//.test(line.headers["User-Agent"] ?? "");
		if (ours) note("headers of gp's requests", headers(line));
		if (line.path === "/graphql") {
			const name = nameOf(line);
			if (ours) note(name, graphqlRequest(line));
			if (line.status === 200) note(`what the test forge answers to ${name}`, graphqlAnswer(line));
			continue;
		}
		const route = operation(line);
		if (!route) {
			if (ours) note(`${line.method} ${line.path}`, ["no such operation is published"]);
			continue;
		}
		if (ours) note(route.name, restRequest(line, route));
		note(`what the test forge answers to ${route.name}`, restAnswer(line, route));
	}
}

let failed = 0;
for (const [name, test] of [...tests].sort(([a], [b]) => (a < b ? -1 : 1))) {
	console.log(`${test.bad.size ? "not ok" : "ok"} ${name} (${test.count})`.replaceAll("#", "no."));
	for (const [text, count] of [...test.bad].slice(0, 8)) console.log(`#   ${text} (${count} times)`);
	failed += test.bad.size ? 1 : 0;
}
process.exitCode = failed || !tests.size ? 1 : 0;
