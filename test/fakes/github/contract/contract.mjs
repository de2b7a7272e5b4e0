// contract.mjs LOG…: gp's requests in the test forge's logs, and all answers, against what GitHub publishes. Prints a line
// of TAP for each operation that was asked for.
import { createHash } from "node:crypto";
import { finish, lines, note, ours } from "../../hub/contract/tap.mjs";
import { graphqlAnswer, graphqlRequest, operation, restAnswer, restRequest } from "./published.mjs";

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

for (const line of lines(process.argv.slice(2))) {
	if (ours(line)) note("headers of gp's requests", headers(line));
	if (line.path === "/graphql") {
		const name = nameOf(line);
		if (ours(line)) note(name, graphqlRequest(line));
		if (line.status === 200) note(`what the test forge answers to ${name}`, graphqlAnswer(line));
		continue;
	}
	const route = operation(line);
	if (!route) {
		if (ours(line)) note(`${line.method} ${line.path}`, ["no such operation is published"]);
		continue;
	}
	if (ours(line)) note(route.name, restRequest(line, route));
	note(`what the test forge answers to ${route.name}`, restAnswer(line, route));
}
finish();
