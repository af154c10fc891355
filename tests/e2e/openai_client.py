"""What OpenAI's own Python client makes of the HTTP edge. One argument: its base URL. Prints what went wrong and exits with 1."""

import json
import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1], api_key="unused", max_retries=0, timeout=300)
failures = []


def function(name, description, properties, required):
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


WEATHER = function(
    "get_weather",
    "Get the current weather of a city",
    {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
    ["city"],
)
MAIL = function("send_mail", "Send an e-mail", {"to": {"type": "string"}, "body": {"type": "string"}}, ["to", "body"])
TREE = {"type": "object", "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}
FOLDER = function("make_folder", "Make a folder with folders in it", {"root": {"$ref": "#/$defs/node"}}, ["root"])
FOLDER["function"]["parameters"]["$defs"] = {"node": TREE}


def ask(text, **more):
    messages = more.pop("messages", [{"role": "user", "content": text}])
    return client.chat.completions.create(model="silverback", messages=messages, **more)


def made(completion):
    calls = completion.choices[0].message.tool_calls or []
    return [(call.function.name, json.loads(call.function.arguments)) for call in calls]


def check(what, holds, shown=""):
    print(("ok    " if holds else "WRONG ") + what, "" if holds else shown, flush=True)
    if not holds:
        failures.append(what)


def refused(what, part, **more):
    try:
        check(what, False, ask("hello", **more))
    except openai.APIStatusError as error:
        check(what, error.status_code == 400 and part in error.message, f"{error.status_code} {error.message}")


def main():
    check("models are listed", "silverback" in [model.id for model in client.models.list()])

    oslo = ask("What's the weather in Oslo?", tools=[WEATHER, MAIL])
    check("a call", made(oslo) == [("get_weather", {"city": "Oslo"})], made(oslo))
    check("it says why it ended", oslo.choices[0].finish_reason == "tool_calls" and oslo.usage.total_tokens > 0)

    two = "Send hello@example.com a mail saying hi, and another one to bye@example.com saying hi"
    check("calls beside each other", len(made(ask(two, tools=[WEATHER, MAIL]))) == 2)
    check("one call at most", len(made(ask(two, tools=[WEATHER, MAIL], parallel_tool_calls=False))) == 1)

    rest = ask("Write a poem about autumn", tools=[WEATHER])
    check("nothing fits", not made(rest) and rest.choices[0].finish_reason == "stop", made(rest))
    forced = ask("Write a poem about autumn in Oslo", tools=[WEATHER], tool_choice="required")
    check("a call is demanded", len(made(forced)) == 1)
    named = {"type": "function", "function": {"name": "send_mail"}}
    check("a tool is demanded", made(ask("What's the weather?", tools=[WEATHER, MAIL], tool_choice=named))[0][0] == "send_mail")
    spoken = ask("Say hello", tools=[WEATHER], tool_choice="none", max_tokens=8)
    check("no tool is allowed", not made(spoken) and spoken.choices[0].message.content)

    chunks = list(ask("What's the weather in Oslo?", tools=[WEATHER, MAIL], stream=True, stream_options={"include_usage": True}))
    deltas = [call for chunk in chunks for choice in chunk.choices for call in choice.delta.tool_calls or []]
    said = "".join(call.function.arguments for call in deltas)
    check("a stream says the same", json.loads(said) == {"city": "Oslo"}, said)
    check("a stream ends", chunks[-2].choices[0].finish_reason == "tool_calls" and chunks[-1].usage.total_tokens > 0)

    call = oslo.choices[0].message.tool_calls[0]
    history = [
        {"role": "user", "content": "What's the weather in Oslo?"},
        oslo.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": '{"degrees": 17, "sky": "clear"}'},
    ]
    told = ask("", messages=history, tools=[WEATHER, MAIL], max_tokens=60)
    check("a result is told in words", "17" in (told.choices[0].message.content or ""), told.choices[0])

    nested = ask("Make a folder called photos", tools=[FOLDER])
    check("a schema may hold itself", made(nested)[:1] and made(nested)[0][1]["root"]["name"] == "photos", made(nested))

    plan = json.loads(ask("create an S3 bucket called e2e-logs").choices[0].message.content)
    check("without tools there is a plan", plan["calls"][0]["operation"] == "CreateBucket", plan)

    refused("two tools of one name", "already", tools=[WEATHER, WEATHER])
    broken = function("broken", "", {"a": {"$ref": "#/$defs/nowhere"}}, [])
    refused("a schema that leads nowhere", "nowhere", tools=[broken])
    refused("too many tools", "128", tools=[function(f"tool{number}", "", {}, []) for number in range(200)])
    refused("an unknown role", "robot", messages=[{"role": "robot", "content": "hi"}])


main()
sys.exit(1 if failures else 0)
