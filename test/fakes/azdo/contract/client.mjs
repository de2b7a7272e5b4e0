// client.mjs SERVER ROOT LOG: Microsoft's own client (azure-devops-node-api) works with the test forge.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { arrange, hands, step, url } from "../../hub/contract/stage.mjs";

const require = createRequire(process.env.CONTRACT_MODULES + "/");
const azure = require("azure-devops-node-api");
const words = require("azure-devops-node-api/interfaces/GitInterfaces");
const project = "shop project";
const nobody = "00000000-0000-0000-0000-000000000000";

const may = ["GenericRead", "GenericContribute", "CreateBranch", "PullRequestContribute"];
await arrange("PUT", "tokens", {
	writer: { login: "writer", permissions: may },
	reader: { login: "reader", permissions: ["GenericRead"] },
	job: { login: "build", kind: "job" },
});
const { path } = await arrange("POST", "repositories", { collection: "acme", project, name: "shop" });
const settings = { statusGenre: "gp", statusName: "gate", invalidateOnSourceUpdate: true };
await arrange("PUT", `policies/acme/${encodeURIComponent(project)}/shop`, [{ type: "status", settings }]);
const { git, branch } = hands(path);

const connect = (handler) => new azure.WebApi(`${url}/acme`, handler);
const as = (token) => connect(azure.getPersonalAccessTokenHandler(token)).getGitApi();
const mine = connect(azure.getPersonalAccessTokenHandler("writer"));
const api = await mine.getGitApi();
const refused = (status, message) => (e) => e.statusCode === status && message.test(e.message);
const gate = (state, more) => ({ state: words.GitStatusState[state], context: { genre: "gp", name: "gate" }, ...more });
const said = (name, body) => step(`Microsoft's client: ${name}`, body);

let id, me, head;
await said("reads the repository, by its name and by its id", async () => {
	const repository = await api.getRepository("shop", project);
	assert.deepEqual([repository.name, repository.defaultBranch, repository.project.name], ["shop", "refs/heads/main", project]);
	id = repository.id;
	assert.equal((await api.getRepository(id)).name, "shop");
	assert.equal(await api.getRepository("nothing", project), null);
	await assert.rejects(as("wrong"), /TF400813/);
});

await said("knows who it is, with a token of a person and of a job", async () => {
	me = (await (await mine.getLocationsApi()).getConnectionData()).authenticatedUser.id;
	const job = await (await connect(azure.getBearerHandler("job")).getLocationsApi()).getConnectionData();
	assert.equal(job.authenticatedUser.providerDisplayName, "build");
	assert.notEqual(job.authenticatedUser.id, me);
});

await said("reads the policies of the project", async () => {
	const [one] = await (await mine.getPolicyApi()).getPolicyConfigurations(project);
	assert.deepEqual([one.isBlocking, one.settings.statusGenre, one.settings.statusName], [true, "gp", "gate"]);
	assert.deepEqual(one.settings.scope, [{ repositoryId: id, refName: "refs/heads/main", matchKind: "Exact" }]);
});

const ask = (name, more) => ({ sourceRefName: `refs/heads/${name}`, targetRefName: "refs/heads/main", title: name, ...more });
await said("opens a pull request, changes it, and is refused a second", async () => {
	head = branch("one");
	const pull = await api.createPullRequest(ask("one", { description: "x".repeat(4000) }), id, project);
	assert.deepEqual([pull.pullRequestId, pull.createdBy.id, pull.lastMergeSourceCommit.commitId], [1, me, head]);
	assert.deepEqual([pull.status, pull.mergeStatus], [words.PullRequestStatus.Active, words.PullRequestAsyncStatus.Queued]);
	const again = api.createPullRequest(ask("one"), id, project);
	await assert.rejects(again, refused(409, /TF401179: An active pull request/));
	await assert.rejects(api.createPullRequest(ask("nowhere"), id, project), refused(400, /TF401398/));
	const long = api.updatePullRequest({ description: "x".repeat(4001) }, id, 1, project);
	await assert.rejects(long, refused(400, /4000/));
	const changed = await api.updatePullRequest({ title: "Another" }, id, 1, project);
	assert.deepEqual([changed.title, changed.description.length], ["Another", 4000]);
	await assert.rejects(api.updatePullRequest({ createdBy: { id: me } }, id, 1, project), refused(400, /not valid/));
});

await said("is told which permission is missing", async () => {
	const reader = await as("reader");
	await assert.rejects(reader.updatePullRequest({ title: "x" }, id, 1, project), refused(403, /TF401027.*'PullRequestContribute'/));
});

await said("pages through pull requests, whose descriptions are cut", async () => {
	for (const name of ["two", "three"]) {
		branch(name);
		await api.createPullRequest(ask(name), id, project);
	}
	const list = (criteria, skip, top) => api.getPullRequests(id, criteria, project, undefined, skip, top);
	const numbers = (pulls) => pulls.map((p) => p.pullRequestId);
	assert.deepEqual(numbers(await list({}, 0, 2)), [3, 2]);
	const [one] = await list({}, 2, 2);
	assert.deepEqual([one.pullRequestId, one.description.length], [1, 400]);
	assert.deepEqual(numbers(await list({ sourceRefName: "refs/heads/two" })), [2]);
	assert.deepEqual(numbers(await list({ status: words.PullRequestStatus.Completed })), []);
});

await said("posts statuses on a commit, and pages through them with top and skip", async () => {
	for (let i = 0; i < 12; i++) {
		const status = { state: words.GitStatusState.Pending, context: { name: `c/${i % 4}` } };
		assert.equal((await api.createCommitStatus(status, head, id, project)).context.name, `c/${i % 4}`);
	}
	assert.equal((await api.getStatuses(head, id, project, 5, 10)).length, 2);
	assert.equal((await api.getStatuses(head, id, project)).length, 12);
	assert.equal((await api.getStatuses(head, id, project, undefined, undefined, true)).length, 4);
	const [commit] = await api.getCommitsBatch({ ids: [head] }, id, project, 0, 10, true);
	assert.deepEqual([commit.commitId, commit.statuses.length], [head, 12]);
});

const complete = (more) => api.updatePullRequest({ status: words.PullRequestStatus.Completed, ...more }, id, 1, project);
const at = (commitId) => ({ lastMergeSourceCommit: { commitId } });
await said("may not complete before the policy is content, nor another head, and may then, in the background", async () => {
	await assert.rejects(complete(at(head)), refused(403, /policies/));
	await assert.rejects(complete(at("0".repeat(39) + "1")), refused(409, /TF401192/));
	await assert.rejects(complete({}), refused(400, /lastMergeSourceCommit/));
	await api.createPullRequestStatus(gate("Succeeded", { iterationId: 1 }), id, 1, project);
	const options = { mergeStrategy: words.GitPullRequestMergeStrategy.Squash, deleteSourceBranch: true };
	const queued = await complete({ ...at(head), completionOptions: options });
	assert.deepEqual([queued.status, queued.mergeStatus], [words.PullRequestStatus.Active, words.PullRequestAsyncStatus.Queued]);
	const done = await api.getPullRequest(id, 1, project);
	assert.equal(done.status, words.PullRequestStatus.Completed);
	assert.equal(done.lastMergeCommit.commitId, git("rev-parse", "refs/heads/main"));
	const asked = { queries: [{ type: words.GitPullRequestQueryType.LastMergeCommit, items: [done.lastMergeCommit.commitId] }] };
	const { results } = await api.getPullRequestQuery(asked, id, project);
	assert.deepEqual(results[0][done.lastMergeCommit.commitId].map((p) => p.pullRequestId), [1]);
	await assert.rejects(complete(at(head)), refused(400, /TF401181/));
});

await said("switches auto-complete on and off; a status of an older iteration completes nothing", async () => {
	const change = (more) => api.updatePullRequest(more, id, 2, project);
	assert.equal((await change({ autoCompleteSetBy: { id: me } })).autoCompleteSetBy.id, me);
	assert.equal((await change({ autoCompleteSetBy: { id: nobody } })).autoCompleteSetBy, undefined);
	const other = { id: me.replace(/^.{8}/, "01234567") };
	await assert.rejects(change({ autoCompleteSetBy: other }), refused(400, /either the current user identity id, or an empty guid/));
	await change({ autoCompleteSetBy: { id: me } });
	git("update-ref", "refs/heads/two", branch("five"));
	await arrange("POST", `settle/acme/${encodeURIComponent(project)}/shop`, {});
	assert.deepEqual((await api.getPullRequestIterations(id, 2, project)).map((i) => i.id), [1, 2]);
	await api.createPullRequestStatus(gate("Succeeded", { iterationId: 1 }), id, 2, project);
	assert.equal((await api.getPullRequest(id, 2, project)).status, words.PullRequestStatus.Active);
	await api.createPullRequestStatus(gate("Succeeded", { iterationId: 2 }), id, 2, project);
	assert.equal((await api.getPullRequest(id, 2, project)).status, words.PullRequestStatus.Completed);
});

await said("bypasses no policy", async () => {
	const options = { completionOptions: { bypassPolicy: true } };
	await assert.rejects(api.updatePullRequest(options, id, 3, project), refused(403, /'PullRequestBypassPolicy'/));
});
