// What GitHub publishes: its OpenAPI description (@octokit/openapi) and GraphQL schema (@octokit/graphql-schema), and
// what they say of one line of the test forge's log. Each check returns a list of complaints.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(process.env.CONTRACT_MODULES + "/");
const Ajv = require("ajv").default;
const addFormats = require("ajv-formats").default;
const { buildSchema, execute, getNamedType, getVariableValues, parse, specifiedRules, validate, Kind } = require("graphql");

const file = (name) => readFileSync(`${process.env.CONTRACT_MODULES}/node_modules/@octokit/${name}`, "utf8");
const api = plain(JSON.parse(file("openapi/generated/api.github.com.json")));
// Some releases define a field twice; what is asked for is held to the rest all the same.
const schema = buildSchema(file("graphql-schema/schema.graphql"), { assumeValid: true, assumeValidSDL: true });

const ajv = new Ajv({ strict: false, logger: false, validateSchema: false, allErrors: true, coerceTypes: false });
const lenient = new Ajv({ strict: false, logger: false, validateSchema: false, coerceTypes: true });
addFormats(ajv);
ajv.addSchema(api, "api");
lenient.addSchema(api, "api");

// OpenAPI 3.0 says `nullable` where JSON Schema says null.
function plain(value) {
	if (Array.isArray(value)) return value.map(plain);
	if (value === null || typeof value !== "object") return value;
	const { nullable, example, examples, ...rest } = value;
	const copy = Object.fromEntries(Object.entries(rest).map(([name, member]) => [name, plain(member)]));
	// A property may have one of those names.
	if (example !== null && typeof example === "object" && example.type) copy.example = plain(example);
	if (nullable !== true) return typeof nullable === "object" ? { ...copy, nullable: plain(nullable) } : copy;
	if (typeof copy.type === "string") {
		if (copy.enum) copy.enum = [...copy.enum, null];
		return { ...copy, type: [copy.type, "null"] };
	}
	return { anyOf: [copy, { type: "null" }] };
}

const pointer = (...parts) =>
	"api#/" + parts.map((p) => encodeURIComponent(String(p).replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");
const compiled = new Map();
function check(engine, where, value, what) {
	const key = (engine === ajv ? "s" : "l") + where;
	if (!compiled.has(key)) compiled.set(key, engine.compile({ $ref: where }));
	const test = compiled.get(key);
	if (test(value)) return [];
	return test.errors.slice(0, 4).map((e) => `${what}${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`);
}

const routes = Object.keys(api.paths).map((path) => ({
	path,
	names: [...path.matchAll(/\{([^}]+)\}/g)].map((m) => m[1]),
	pattern: new RegExp("^" + path.replace(/[.+*?^$()|[\]\\]/g, "\\$&").replace(/\{[^}]+\}/g, "([^/]+)") + "$"),
}));

const resolve = (node) => (node?.$ref ? node.$ref.slice(2).split("/").reduce((at, name) => at[name], api) : node);

// The published operation that a request is, the one with the fewest parameters in its path first.
export function operation(line) {
	const found = routes
		.map((route) => ({ ...route, match: route.pattern.exec(line.path) }))
		.filter((route) => route.match && api.paths[route.path][line.method.toLowerCase()])
		.sort((a, b) => a.names.length - b.names.length)[0];
	return found && { ...found, name: `${line.method} ${found.path}` };
}

export function restRequest(line, route) {
	const method = line.method.toLowerCase();
	const item = api.paths[route.path];
	const op = item[method];
	const at = ["paths", route.path, method];
	const said = [];
	const given = {
		path: Object.fromEntries(route.names.map((name, i) => [name, decodeURIComponent(route.match[i + 1])])),
		query: Object.fromEntries(new URLSearchParams(line.query)),
	};
	const known = [
		...(item.parameters ?? []).map((p, i) => [p, ["paths", route.path, "parameters", i]]),
		...(op.parameters ?? []).map((p, i) => [p, [...at, "parameters", i]]),
	].map(([p, where]) => [resolve(p), p.$ref ? p.$ref.slice(2).split("/") : where]);
	for (const [parameter, where] of known) {
		const values = given[parameter.in] ?? {};
		if (!(parameter.name in values)) {
			if (parameter.required && parameter.in !== "header") said.push(`${parameter.name} is missing`);
			continue;
		}
		const value = values[parameter.name];
		said.push(...check(lenient, pointer(...where, "schema"), value, `parameter ${parameter.name}`));
	}
	for (const name of Object.keys(given.query)) {
		if (!known.some(([p]) => p.in === "query" && p.name === name)) said.push(`unknown query parameter ${name}`);
	}
	return said.concat(restBody(line, op, at));
}

function restBody(line, op, at) {
	const wanted = resolve(op.requestBody);
	if (!line.body) return wanted?.required ? ["no body"] : [];
	if (!wanted) return ["a body where there is none"];
	let body;
	try {
		body = JSON.parse(line.body);
	} catch {
		return ["the body is not JSON"];
	}
	const where = op.requestBody.$ref ? op.requestBody.$ref.slice(2).split("/") : [...at, "requestBody"];
	const said = check(ajv, pointer(...where, "content", "application/json", "schema"), body, "body");
	const members = resolve(wanted.content["application/json"].schema).properties;
	for (const name of Object.keys(body)) {
		if (members && !(name in members)) said.push(`unknown member ${name} in the body`);
	}
	return said;
}

// What the test forge answered, against what GitHub says that it answers.
export function restAnswer(line, route) {
	const method = line.method.toLowerCase();
	const op = api.paths[route.path][method];
	if (line.status === 304 || line.status === 0) return [];
	const status = String(line.status);
	if (!op.responses[status]) {
		// Refusals that the description leaves out: bad tokens, lacking permissions, limits.
		return line.status >= 400 && typeof line.answer?.message === "string" ? [] : [`status ${status} is not published`];
	}
	const answer = resolve(op.responses[status]);
	if (!answer.content?.["application/json"]) return [];
	const where = op.responses[status].$ref
		? op.responses[status].$ref.slice(2).split("/")
		: ["paths", route.path, method, "responses", status];
	return check(ajv, pointer(...where, "content", "application/json", "schema"), line.answer, `answer ${status} `);
}

export function graphqlRequest(line) {
	let body, document;
	try {
		body = JSON.parse(line.body);
		document = parse(body.query);
	} catch (e) {
		return [e.message];
	}
	const said = validate(schema, document, specifiedRules).map((e) => e.message);
	if (said.length) return said;
	const extra = Object.keys(body).filter((name) => !["query", "variables", "operationName"].includes(name));
	said.push(...extra.map((name) => `unknown member ${name} in the body`));
	for (const definition of document.definitions.filter((d) => d.kind === Kind.OPERATION_DEFINITION)) {
		const { errors } = getVariableValues(schema, definition.variableDefinitions ?? [], body.variables ?? {});
		said.push(...(errors ?? []).map((e) => e.message));
	}
	return said;
}

// The answer's data put through the published schema: what it could not have said shows as an error.
export function graphqlAnswer(line) {
	if (line.status !== 200 || !line.answer?.data) return [];
	const body = JSON.parse(line.body);
	const refused = new Set((line.answer.errors ?? []).map((e) => JSON.stringify(e.path)));
	const { data, errors } = execute({
		schema,
		document: parse(body.query),
		operationName: body.operationName,
		variableValues: body.variables,
		rootValue: line.answer.data,
		fieldResolver: (from, _args, _context, info) => from[info.path.key],
		typeResolver: (value, _context, info) => value.__typename ?? onlyType(info),
	});
	const said = (errors ?? []).filter((e) => !refused.has(JSON.stringify(e.path))).map((e) => e.message);
	if (!said.length && !errors && JSON.stringify(data) !== JSON.stringify(line.answer.data)) {
		said.push("the answer has other members than were asked for");
	}
	return said;
}

// Where __typename was not asked for, the first inline fragment tells; where there is none, only members of the interface
// were asked for, which any type has.
function onlyType(info) {
	const inline = info.fieldNodes
		.flatMap((node) => node.selectionSet?.selections ?? [])
		.flatMap((s) => (s.kind === Kind.FRAGMENT_SPREAD ? info.fragments[s.name.value] : s));
	const [any] = info.schema.getPossibleTypes(getNamedType(info.returnType));
	return inline.find((s) => s.typeCondition)?.typeCondition.name.value ?? any.name;
}
