// client.mjs SERVER ROOT LOG: GitHub's own client (@octokit/rest, @octokit/graphql) works with the test forge.
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { arrange, hands, step, url } from "../../hub/contract/stage.mjs";

const packages = process.env.CONTRACT_MODULES + "/node_modules/@octokit/";
const { Octokit } = await import(pathToFileURL(packages + "rest/dist-src/index.js").href);
const { graphql } = await import(pathToFileURL(packages + "graphql/dist-bundle/index.js").href);
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const as = (auth) => new Octokit({ auth, baseUrl: url, log: quiet });
const writer = as("writer");
const shop = { owner: "acme", repo: "shop" };

await arrange("PUT", "tokens", {
	writer: { login: "writer", permissions: { metadata: "read", contents: "write", pull_requests: "write", statuses: "write" } },
	reader: { login: "reader", permissions: { metadata: "read", contents: "read", pull_requests: "read" } },
	app: { login: "ci[bot]", kind: "app" },
});
const { path } = await arrange("POST", "repositories", { owner: "acme", name: "shop" });
await arrange("PUT", "protection/acme/shop/main", { contexts: ["gp/gate"] });
const { git, branch } = hands(path);
const refused = (status, message) => (e) => e.status === status && message.test(e.message);

await step("GitHub's client: reads the repository", async () => {
	const { data } = await writer.rest.repos.get(shop);
	assert.equal(data.default_branch, "main");
	assert.equal(data.allow_auto_merge, true);
	await assert.rejects(writer.rest.repos.get({ owner: "acme", repo: "nothing" }), refused(404, /Not Found/));
	await assert.rejects(as("wrong").rest.repos.get(shop), refused(401, /Bad credentials/));
});

await step("GitHub's client: reads what a branch requires, from rulesets and from the branch", async () => {
	const on = { ...shop, branch: "main" };
	assert.deepEqual((await writer.rest.repos.getBranchRules(on)).data, []);
	const { data } = await writer.rest.repos.getBranch(on);
	assert.deepEqual(data.protection.required_status_checks.contexts, ["gp/gate"]);
	await arrange("PUT", "protection/acme/shop/main", { contexts: ["gp/gate"], ruleset: true });
	const [rule] = (await writer.rest.repos.getBranchRules(on)).data;
	assert.equal(rule.type, "required_status_checks");
	assert.equal(rule.parameters.required_status_checks[0].context, "gp/gate");
	await arrange("PUT", "protection/acme/shop/main", { contexts: ["gp/gate"] });
});

let head;
await step("GitHub's client: opens a pull request, changes it, and is refused a second", async () => {
	head = branch("one");
	const ask = { ...shop, head: "one", base: "main", title: "One", body: "text" };
	const { data, status } = await writer.rest.pulls.create(ask);
	assert.deepEqual([status, data.number, data.head.sha, data.state, data.mergeable_state], [201, 1, head, "open", "blocked"]);
	await assert.rejects(writer.rest.pulls.create(ask), refused(422, /A pull request already exists for acme:one\./));
	await assert.rejects(writer.rest.pulls.create({ ...ask, head: "nowhere" }), refused(422, /"field":"head","code":"invalid"/));
	git("update-ref", "refs/heads/same", "refs/heads/main");
	await assert.rejects(writer.rest.pulls.create({ ...ask, head: "same" }), refused(422, /No commits between main and same/));
	const changed = await writer.rest.pulls.update({ ...shop, pull_number: 1, title: "Another", body: "" });
	assert.deepEqual([changed.data.title, changed.data.body], ["Another", ""]);
});

await step("GitHub's client: is told which permission is missing", async () => {
	const ask = { ...shop, pull_number: 1, title: "x" };
	await assert.rejects(as("reader").rest.pulls.update(ask), (e) =>
		e.status === 403 && e.response.headers["x-accepted-github-permissions"] === "pull_requests=write");
});

await step("GitHub's client: pages through 65 statuses, 30 at a time and by its own paginate", async () => {
	const on = { ...shop, sha: head };
	for (let i = 0; i < 65; i++) await writer.rest.repos.createCommitStatus({ ...on, state: "pending", context: `c/${i}` });
	const first = await writer.rest.repos.listCommitStatusesForRef({ ...shop, ref: head });
	assert.equal(first.data.length, 30);
	assert.match(first.headers.link, /rel="next".*rel="last"/);
	assert.equal(first.data[0].context, "c/64");
	const all = await writer.paginate(writer.rest.repos.listCommitStatusesForRef, { ...shop, ref: head, per_page: 20 });
	assert.deepEqual(all.map((s) => s.context), Array.from({ length: 65 }, (_, i) => `c/${64 - i}`));
	const long = { ...on, state: "success", description: "x".repeat(141) };
	await assert.rejects(writer.rest.repos.createCommitStatus(long), refused(422, /too long/));
	const nowhere = { ...shop, sha: "0".repeat(39) + "1", state: "success" };
	await assert.rejects(writer.rest.repos.createCommitStatus(nowhere), refused(422, /No commit found for SHA/));
});

await step("GitHub's client: gets 304 for what has not changed", async () => {
	const { headers } = await writer.rest.pulls.get({ ...shop, pull_number: 1 });
	const again = { ...shop, pull_number: 1, headers: { "if-none-match": headers.etag } };
	await assert.rejects(writer.rest.pulls.get(again), (e) => e.status === 304);
});

await step("GitHub's client: posts a check run as an app, and lists it", async () => {
	const run = { ...shop, name: "build", head_sha: head, status: "completed", conclusion: "success" };
	await as("app").rest.checks.create(run);
	await assert.rejects(writer.rest.checks.create(run), refused(403, /not accessible/));
	const { data } = await as("app").rest.checks.listForRef({ ...shop, ref: head });
	assert.deepEqual([data.total_count, data.check_runs[0].conclusion], [1, "success"]);
	assert.equal((await writer.rest.repos.getCombinedStatusForRef({ ...shop, ref: head })).data.state, "pending");
});

await step("GitHub's client: may not merge before the required check is green, nor another head, and may then", async () => {
	const ask = { ...shop, pull_number: 1, sha: head };
	await assert.rejects(writer.rest.pulls.merge(ask), refused(405, /Required status check "gp\/gate" is expected\./));
	await writer.rest.repos.createCommitStatus({ ...shop, sha: head, state: "success", context: "gp/gate" });
	await assert.rejects(writer.rest.pulls.merge({ ...ask, sha: "0".repeat(40) }), refused(409, /Head branch was modified/));
	const { data } = await writer.rest.pulls.merge({ ...ask, merge_method: "squash" });
	assert.equal(data.merged, true);
	assert.equal(git("rev-parse", "refs/heads/main"), data.sha);
	const of = await writer.rest.repos.listPullRequestsAssociatedWithCommit({ ...shop, commit_sha: data.sha });
	assert.deepEqual(of.data.map((p) => [p.number, p.merge_commit_sha]), [[1, data.sha]]);
	await assert.rejects(writer.rest.pulls.merge(ask), refused(405, /not mergeable/));
});

const query = graphql.defaults({ baseUrl: url, headers: { authorization: "token writer" } });
const says = (text) => (e) => e.name === "GraphqlResponseError" && e.errors[0].message.includes(text);

await step("GitHub's client: pages through pull requests by cursor", async () => {
	for (const name of ["two", "three", "four"]) {
		branch(name);
		await writer.rest.pulls.create({ ...shop, head: name, base: "main", title: name });
	}
	const list = `query ($after: String) { repository(owner: "acme", name: "shop") {
		pullRequests(states: OPEN, first: 2, after: $after) { nodes { number title } pageInfo { hasNextPage endCursor } } } }`;
	const first = (await query(list)).repository.pullRequests;
	assert.deepEqual([first.nodes.map((n) => n.number), first.pageInfo.hasNextPage], [[2, 3], true]);
	const next = (await query(list, { after: first.pageInfo.endCursor })).repository.pullRequests;
	assert.deepEqual([next.nodes, next.pageInfo.hasNextPage], [[{ number: 4, title: "four" }], false]);
});

await step("GitHub's client: switches auto-merge on and off, and is refused where nothing is to wait for", async () => {
	const { data: pull } = await writer.rest.pulls.get({ ...shop, pull_number: 2 });
	const enable = `mutation ($id: ID!, $head: GitObjectID) { enablePullRequestAutoMerge(
		input: {pullRequestId: $id, mergeMethod: REBASE, expectedHeadOid: $head}) { pullRequest { autoMergeRequest { mergeMethod } } } }`;
	const disable = "mutation ($id: ID!) { disablePullRequestAutoMerge(input: {pullRequestId: $id}) { pullRequest { number } } }";
	const on = { id: pull.node_id, head: pull.head.sha };
	await assert.rejects(query(enable, { ...on, head: "0".repeat(40) }), says("Head branch was modified"));
	assert.equal((await query(enable, on)).enablePullRequestAutoMerge.pullRequest.autoMergeRequest.mergeMethod, "REBASE");
	await query(disable, on);
	await arrange("PATCH", "repositories/acme/shop", { allow_auto_merge: false });
	await assert.rejects(query(enable, on), says("Auto merge is not allowed for this repository"));
	await arrange("PATCH", "repositories/acme/shop", { allow_auto_merge: true });
	await query(enable, on);
	await writer.rest.repos.createCommitStatus({ ...shop, sha: pull.head.sha, state: "success", context: "gp/gate" });
	assert.equal((await writer.rest.pulls.get({ ...shop, pull_number: 2 })).data.merged, true);
	const { data: three } = await writer.rest.pulls.get({ ...shop, pull_number: 3 });
	await writer.rest.repos.createCommitStatus({ ...shop, sha: three.head.sha, state: "success", context: "gp/gate" });
	await assert.rejects(query(enable, { id: three.node_id }), says("Pull request is in clean status"));
});

await step("GitHub's client: is told of mistakes in a query, and of what it may not see", async () => {
	await assert.rejects(query("{ viewer { nothing } }"), says("Field 'nothing' doesn't exist on type 'User'"));
	await assert.rejects(query('{ repository(owner: "acme", name: "x") { id } }'), says("Could not resolve to a Repository"));
	await assert.rejects(query('{ repository(owner: "acme", name: "shop") { pullRequests { nodes { id } } } }'), says("`first` or `last`"));
	const checks = `query ($oid: GitObjectID) { repository(owner: "acme", name: "shop") { object(oid: $oid) { ... on Commit {
		statusCheckRollup { contexts(first: 100) { nodes { __typename ... on StatusContext { context state }
		... on CheckRun { name conclusion } } } } } } } }`;
	await assert.rejects(query(checks, { oid: head }), says("Resource not accessible by personal access token"));
	const seen = await query(checks, { oid: head, headers: { authorization: "token app" } });
	assert.equal(seen.repository.object.statusCheckRollup.contexts.nodes.filter((n) => n.__typename === "CheckRun").length, 1);
});
