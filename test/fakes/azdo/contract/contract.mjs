// contract.mjs LOG…: gp's requests in the test forge's logs, and all answers, against what Microsoft publishes. Prints a
// line of TAP for each operation that was asked for.
import { finish, lines, note, ours } from "../../hub/contract/tap.mjs";
import { answer, candidates, request } from "./published.mjs";

// https://learn.microsoft.com/azure/devops/integrate/concepts/rest-api-versioning
function conventions(line) {
	const of = Object.fromEntries(Object.entries(line.headers).map(([name, value]) => [name.toLowerCase(), value]));
	const versions = new URLSearchParams(line.query).getAll("api-version");
	const said = [];
	if (!/^gp\/\d/.test(of["user-agent"] ?? "")) said.push(`User-Agent is ${of["user-agent"]}`);
	if (versions.length !== 1 || !/^\d\.\d(-preview(\.\d+)?)?$/.test(versions[0])) said.push(`api-version is ${versions}`);
	if (!/^application\/json\b/.test(of["accept"] ?? "")) said.push(`Accept is ${of["accept"]}`);
	if (line.body && !/^application\/json\b/.test(of["content-type"] ?? "")) said.push(`Content-Type is ${of["content-type"]}`);
	if (/bypass/i.test(line.body ?? "")) said.push("a policy is bypassed");
	return said;
}

// Of several ways to read a request, the one that leaves the least to say.
const least = (lists) => lists.sort((a, b) => a.length - b.length)[0];

for (const line of lines(process.argv.slice(2))) {
	if (line.method === "OPTIONS") continue;
	if (ours(line)) note("what all of gp's requests have", conventions(line));
	const found = candidates(line);
	if (!found.length) {
		if (ours(line)) note(`${line.method} ${line.path}`, ["no such operation is published"]);
		continue;
	}
	const name = `${line.method} ${found[0].path}`;
	if (ours(line)) note(name, least(found.map((o) => request(line, o))));
	if (typeof line.answer === "object" && line.answer) note(`what the test forge answers to ${name}`, least(found.map((o) => answer(line, o))));
}
finish();
