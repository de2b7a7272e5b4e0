// What Microsoft publishes about the API in its own client for web extensions (azure-devops-extension-api), which is made
// from the same description as the reference at https://learn.microsoft.com/rest/api/azure/devops: from its code, the
// methods with their paths and query parameters; from its types, what goes in and comes out. Each check of one line of the
// test forge's log returns a list of complaints.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(process.env.CONTRACT_MODULES + "/");
const ts = require("typescript");
const root = `${process.env.CONTRACT_MODULES}/node_modules/azure-devops-extension-api/`;
const clients = ["Git/GitClient", "Policy/PolicyClient", "Locations/LocationsClient"];

const program = ts.createProgram(
	clients.map((name) => `${root}${name}.d.ts`),
	{ target: ts.ScriptTarget.ES2020, module: ts.ModuleKind.CommonJS, moduleResolution: ts.ModuleResolutionKind.Node10, types: [] },
);
const checker = program.getTypeChecker();

// Reading the client

const text = (node) => (ts.isStringLiteral(node) || ts.isIdentifier(node) ? node.text : node.getText());
const members = (object) => new Map((object?.properties ?? []).map((p) => [text(p.name), p.initializer]));

function calls(node, found = []) {
	if (ts.isCallExpression(node) && node.expression.getText() === "this.beginRequest") found.push(members(node.arguments[0]));
	ts.forEachChild(node, (child) => void calls(child, found));
	return found;
}

// The query of a method: names, with the expression that each value comes from.
function queryOf(method) {
	const query = new Map();
	(function visit(node) {
		if (ts.isVariableDeclaration(node) && node.name.getText() === "queryValues") {
			for (const [name, value] of members(node.initializer)) query.set(name, value);
		} else if (ts.isBinaryExpression(node) && node.left.getText().startsWith("queryValues.")) {
			query.set(node.left.name.text, node.right);
		} else if (ts.isBinaryExpression(node) && node.left.getText().startsWith("queryValues[")) {
			query.set(node.left.argumentExpression.text, node.right);
		}
		ts.forEachChild(node, visit);
	})(method);
	return query;
}

// Types of a method's parameters, and of what it promises.
function signatureOf(file, name) {
	const module = checker.getSymbolAtLocation(program.getSourceFile(`${file}.d.ts`));
	for (const symbol of checker.getExportsOfModule(module)) {
		const property = checker.getDeclaredTypeOfSymbol(symbol).getProperty?.(name);
		const at = property?.valueDeclaration;
		if (!at) continue;
		const [signature] = checker.getTypeOfSymbolAtLocation(property, at).getCallSignatures();
		const parameters = new Map();
		for (const p of signature.parameters) {
			const optional = Boolean(p.valueDeclaration.questionToken);
			parameters.set(p.name, { type: checker.getTypeOfSymbolAtLocation(p, at), optional });
		}
		return { parameters, result: checker.getTypeArguments(signature.getReturnType())[0] };
	}
	return undefined;
}

// The type of `name` or of `name.member`.
function typeOf(expression, { parameters }) {
	const [name, member] = expression.getText().split(".");
	const type = parameters.get(name)?.type;
	const property = member && type?.getProperty(member);
	return property ? checker.getTypeOfSymbol(property) : member ? undefined : type;
}

// Other segments than {project} stand in a path only where the method gives their values.
function pathOf(template, values) {
	const nameOf = (part) => /^\{\*?(\w+)\}$/.exec(part)?.[1];
	return template.split("/").filter((part) => !nameOf(part) || values.has(nameOf(part))).join("/");
}

// {project} may be left out where it is optional. A collection stands before all.
function patternOf(path, { parameters }) {
	const optional = parameters.get("project")?.optional;
	const parts = path.split("/").map((part) => {
		if (part === "{project}" && optional) return "(?:/[^/]+)?";
		return part.startsWith("{") ? "/[^/]+" : "/" + part.replace(/[.$]/g, "\\$&");
	});
	return new RegExp(`^/[^/]+${parts.join("")}$`, "i");
}

const operations = [];
for (const name of clients) {
	const source = ts.createSourceFile(name, readFileSync(`${root}${name}.js`, "utf8"), ts.ScriptTarget.ES2020, true);
	(function visit(node) {
		if (ts.isMethodDeclaration(node)) {
			const types = signatureOf(root + name, node.name.text);
			for (const call of types ? calls(node) : []) {
				const path = pathOf(text(call.get("routeTemplate")), members(call.get("routeValues")));
				const query = new Map();
				for (const [key, value] of call.has("queryParams") ? queryOf(node) : []) {
					const type = typeOf(value, types);
					// Criteria are sent as one parameter for each of their members.
					const inner = type && !type.symbol?.name?.startsWith("__") && isPlainObject(type) ? type.getProperties() : [];
					if (!inner.length) query.set(key.toLowerCase(), type);
					for (const p of inner) query.set(`${key}.${p.name}`.toLowerCase(), checker.getTypeOfSymbol(p));
				}
				operations.push({
					method: call.has("method") ? text(call.get("method")) : "GET",
					path,
					pattern: patternOf(path, types),
					query,
					body: call.has("body") ? typeOf(call.get("body"), types) : undefined,
					result: types.result,
				});
			}
		}
		ts.forEachChild(node, visit);
	})(source);
}

// Policies that cover a branch are in the reference, but not in this client:
// https://learn.microsoft.com/rest/api/azure/devops/git/policy-configurations/get
const listed = operations.find((o) => o.method === "GET" && /\/policy\/configurations$/i.test(o.path));
operations.push({
	...listed,
	path: "{project}/_apis/git/policy/configurations",
	pattern: /^\/[^/]+\/[^/]+\/_apis\/git\/policy\/configurations$/i,
	query: new Map(["repositoryid", "refname", "policytype"].map((name) => [name, checker.getStringType()])),
});

function isPaged(type) {
	return type?.symbol?.name === "PagedList";
}

function elementOf(type) {
	if (isPaged(type)) return checker.getTypeArguments(type)[0];
	return checker.isArrayType(type) ? checker.getTypeArguments(type)[0] : undefined;
}

function isPlainObject(type) {
	return Boolean(type.flags & ts.TypeFlags.Object) && !elementOf(type) && type.symbol?.name !== "Date";
}

// Holding values to types

// On the wire an enumeration is the name of a member, with a small letter in front; its number is understood, too.
function wordsOf(type) {
	const all = type.isUnion() ? type.types : [type];
	return all.map((one) => one.symbol.name[0].toLowerCase() + one.symbol.name.slice(1));
}

// strict: of a request, in which null is nothing that a type allows.
function complaints(type, value, where, strict) {
	const flags = type?.flags ?? ts.TypeFlags.Any;
	const wrong = (what) => [`${where} is ${JSON.stringify(value)?.slice(0, 60)}, not ${what}`];
	if (flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return [];
	if (value === null) return strict ? wrong(checker.typeToString(type)) : [];
	if (flags & ts.TypeFlags.EnumLike) {
		const words = wordsOf(type);
		return words.includes(value) || (typeof value === "number" && !strict) ? [] : wrong(`one of ${words.join(", ")}`);
	}
	if (flags & ts.TypeFlags.StringLike) return typeof value === "string" ? [] : wrong("a string");
	if (flags & ts.TypeFlags.NumberLike) return typeof value === "number" ? [] : wrong("a number");
	if (flags & ts.TypeFlags.BooleanLike) return typeof value === "boolean" ? [] : wrong("a boolean");
	// "Type;identifier": https://learn.microsoft.com/dotnet/api/microsoft.visualstudio.services.identity.identitydescriptor
	if (type.symbol?.name === "IdentityDescriptor" && typeof value === "string") return [];
	if (type.symbol?.name === "Date") return isDate(value) ? [] : wrong("a date");
	const element = elementOf(type);
	if (element) {
		if (!Array.isArray(value)) return wrong("an array");
		return value.flatMap((one, i) => complaints(element, one, `${where}[${i}]`, strict));
	}
	if (type.isUnion()) {
		const each = type.types.map((one) => complaints(one, value, where, strict));
		return each.some((said) => !said.length) ? [] : each[0];
	}
	if (typeof value !== "object" || Array.isArray(value)) return wrong(`an object (${checker.typeToString(type)})`);
	// An interface without members (ChangeCountDictionary) has those that are not said; one by the numbers of an
	// enumeration has its words.
	if (!type.getProperties().length && !checker.getIndexInfosOfType(type).length) return [];
	const any = [ts.IndexKind.String, ts.IndexKind.Number].map((kind) => checker.getIndexTypeOfType(type, kind)).find(Boolean);
	return Object.entries(value).flatMap(([name, one]) => {
		const property = type.getProperty(name);
		if (property) return complaints(checker.getTypeOfSymbol(property), one, `${where}.${name}`, strict);
		return any ? complaints(any, one, `${where}.${name}`, strict) : [`${where} has no member ${name}`];
	});
}

const isDate = (value) => typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value);

function inQuery(type, value, name) {
	const flags = type?.flags ?? ts.TypeFlags.Any;
	if (flags & ts.TypeFlags.EnumLike) return complaints(type, value, name, true);
	if (flags & ts.TypeFlags.NumberLike && !/^\d+$/.test(value)) return [`${name} is ${value}, not a number`];
	if (flags & ts.TypeFlags.BooleanLike && !/^(true|false)$/.test(value)) return [`${name} is ${value}, not a boolean`];
	return [];
}

// The checks

// Methods may share a path: all that a request could be.
export function candidates(line) {
	return operations.filter((o) => o.method === line.method && o.pattern.test(line.path));
}

export function request(line, operation) {
	const said = [];
	const given = new URLSearchParams(line.query);
	for (const [name, value] of given) {
		const key = name.toLowerCase();
		if (key === "api-version") continue;
		if (isPaged(operation.result) && key === "continuationtoken") continue;
		if (isPaged(operation.result) && key === "$top") said.push(...inQuery(checker.getNumberType(), value, name));
		else if (operation.query.has(key)) said.push(...inQuery(operation.query.get(key), value, name));
		else said.push(`unknown query parameter ${name}`);
	}
	if (!line.body) return operation.body ? [...said, "no body"] : said;
	if (!operation.body) return [...said, "a body where there is none"];
	try {
		return [...said, ...complaints(operation.body, JSON.parse(line.body), "body", true)];
	} catch {
		return [...said, "the body is not JSON"];
	}
}

// A list comes as its elements and how many they are.
export function answer(line, operation) {
	if (line.status >= 400 || line.status === 0) {
		return typeof line.answer?.typeKey === "string" ? [] : ["a refusal without a typeKey"];
	}
	const element = elementOf(operation.result);
	if (!element) return complaints(operation.result, line.answer, "answer", false);
	const { count, value, ...rest } = line.answer;
	if (!Array.isArray(value) || count !== value.length || Object.keys(rest).length) return ["the answer is no list"];
	return value.flatMap((one, i) => complaints(element, one, `value[${i}]`, false));
}
