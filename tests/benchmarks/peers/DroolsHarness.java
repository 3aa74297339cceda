import static org.drools.model.DSL.accFunction;
import static org.drools.model.DSL.accumulate;
import static org.drools.model.DSL.before;
import static org.drools.model.DSL.declarationOf;
import static org.drools.model.DSL.exists;
import static org.drools.model.DSL.on;
import static org.drools.model.PatternDSL.alphaIndexedBy;
import static org.drools.model.PatternDSL.betaIndexedBy;
import static org.drools.model.PatternDSL.pattern;
import static org.drools.model.PatternDSL.reactOn;
import static org.drools.model.PatternDSL.rule;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.drools.core.base.accumulators.CountAccumulateFunction;
import org.drools.core.impl.RuleBaseFactory;
import org.drools.model.Index.ConstraintType;
import org.drools.model.PatternDSL.PatternDef;
import org.drools.model.Rule;
import org.drools.model.Variable;
import org.drools.model.impl.ModelImpl;
import org.drools.modelcompiler.KieBaseBuilder;
import org.kie.api.KieBase;
import org.kie.api.conf.EventProcessingOption;
import org.kie.api.definition.type.Role;
import org.kie.api.definition.type.Timestamp;
import org.kie.api.runtime.KieSession;
import org.kie.api.runtime.KieSessionConfiguration;
import org.kie.api.runtime.conf.ClockTypeOption;
import org.kie.api.runtime.rule.FactHandle;
import org.kie.api.time.SessionPseudoClock;

/**
 * Drools at its best: the executable model with the alpha and beta indexes that its own code
 * generator emits, in its own virtual machine, warmed up. W1 asserts plain facts and retracts them;
 * W2 runs in STREAM mode on a clock that follows the events.
 *
 * Arguments: workload, form (line or event), rules.json, events.jsonl, seconds to warm up, how many
 * events to tell, and the file to tell them in (a line for each event: the rules that fired). Then
 * it prints one line "ready", and for each line "SECONDS" that it reads one line of figures.
 */
public final class DroolsHarness {
    /** An event. Jackson fills it from a line, and the rules read it. */
    @Role(Role.Type.EVENT)
    @Timestamp("timestamp")
    public static final class Event {
        public String visitID, pageID, eventName, category, url;
        public long timestamp;
        public Data data;

        public String getVisitID() { return visitID; }
        public String getEventName() { return eventName; }
        public String getCategory() { return category; }
        public String getUrl() { return url; }
        public long getTimestamp() { return timestamp; }
        public double getCartTotal() { return data.cartTotal; }
    }

    /** The part of the data that the rules read. */
    public static final class Data {
        public double cartTotal;
    }

    private static final ObjectMapper MAPPER =
        new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);
    private static final ObjectReader EVENTS = MAPPER.readerFor(Event.class);
    private static final int CHUNK = 100;

    private final List<String> fired = new ArrayList<>();
    private final String workload;
    private final boolean stateful, lines;
    private final KieBase base;
    private final List<Object> inputs;
    private final int prefix;
    private KieSession session;
    private SessionPseudoClock clock;
    private int place;

    public static void main(String[] words) throws Exception {
        new DroolsHarness(words).serve(Double.parseDouble(words[4]), Integer.parseInt(words[5]), Path.of(words[6]));
    }

    private DroolsHarness(String[] words) throws Exception {
        workload = words[0];
        stateful = workload.equals("w2");
        lines = words[1].equals("line");
        inputs = new ArrayList<>();
        for (String line : Files.readAllLines(Path.of(words[3]))) {
            byte[] bytes = line.getBytes(StandardCharsets.UTF_8);
            inputs.add(lines ? bytes : EVENTS.readValue(bytes));
        }
        prefix = inputs.size() / 4;
        ModelImpl model = new ModelImpl();
        for (JsonNode one : MAPPER.readTree(Path.of(words[2]).toFile())) model.addRule(made(one));
        base = stateful
            ? KieBaseBuilder.createKieBaseFromModel(model, EventProcessingOption.STREAM)
            : KieBaseBuilder.createKieBaseFromModel(model);
    }

    // ------------------------------------------------------------------ rules

    private Rule made(JsonNode one) {
        String id = one.get("id").asText(), category = one.get("category").asText();
        switch (one.get("kind").asText()) {
            case "Threshold": return threshold(id, category, one);
            case "Counted": return counted(id, category, one);
            default: return followed(id, category, one);
        }
    }

    private Rule threshold(String id, String category, JsonNode one) {
        Variable<Event> event = declarationOf(Event.class, "e");
        String name = one.get("event").asText(), prefix = one.get("prefix").asText();
        double atLeast = one.get("at_least").asDouble();
        PatternDef<Event> found = workload.equals("w1p")
            ? named(pattern(event), name).expr("url^=" + prefix, x -> x.getUrl().startsWith(prefix), reactOn("url"))
            : placed(pattern(event), name, category);
        return rule(id).build(
            found.expr("total>=" + atLeast, x -> x.getCartTotal() >= atLeast,
                alphaIndexedBy(Double.class, ConstraintType.GREATER_OR_EQUAL, 3, Event::getCartTotal, atLeast),
                reactOn("cartTotal")),
            on(event).execute(x -> fired.add(id)));
    }

    /** As one writes it in Drools: so many before this one. It does not start over after firing. */
    private Rule counted(String id, String category, JsonNode one) {
        Variable<Event> event = declarationOf(Event.class, "e"), earlier = declarationOf(Event.class, "p");
        Variable<Long> count = declarationOf(Long.class, "c");
        String name = one.get("event").asText();
        long within = one.get("within").asLong(), need = one.get("times").asLong() - 1;
        return rule(id).build(
            placed(pattern(event), name, category),
            accumulate(
                sameVisit(placed(pattern(earlier), name, category), event)
                    .expr("before" + within, event, before(1, TimeUnit.MILLISECONDS, within - 1, TimeUnit.MILLISECONDS)),
                accFunction(CountAccumulateFunction::new).as(count)),
            pattern(count).expr("c>=" + need, x -> x >= need),
            on(event, count).execute((x, y) -> fired.add(id)));
    }

    /** As one writes it in Drools: there is one before this one. It does not use it up. */
    private Rule followed(String id, String category, JsonNode one) {
        Variable<Event> event = declarationOf(Event.class, "e"), first = declarationOf(Event.class, "f");
        long within = one.get("within").asLong();
        return rule(id).build(
            placed(pattern(event), one.get("then").asText(), category),
            exists(
                sameVisit(placed(pattern(first), one.get("first").asText(), category), event)
                    .expr("before" + within, event, before(1, TimeUnit.MILLISECONDS, within - 1, TimeUnit.MILLISECONDS))),
            on(event).execute(x -> fired.add(id)));
    }

    private static PatternDef<Event> named(PatternDef<Event> found, String name) {
        return found.expr("name==" + name, x -> name.equals(x.getEventName()),
            alphaIndexedBy(String.class, ConstraintType.EQUAL, 0, Event::getEventName, name), reactOn("eventName"));
    }

    private static PatternDef<Event> placed(PatternDef<Event> found, String name, String category) {
        return named(found, name).expr("category==" + category, x -> category.equals(x.getCategory()),
            alphaIndexedBy(String.class, ConstraintType.EQUAL, 1, Event::getCategory, category), reactOn("category"));
    }

    private static PatternDef<Event> sameVisit(PatternDef<Event> found, Variable<Event> other) {
        return found.expr("visit==visit", other, (x, y) -> x.getVisitID().equals(y.getVisitID()),
            betaIndexedBy(String.class, ConstraintType.EQUAL, 2, Event::getVisitID, Event::getVisitID),
            reactOn("visitID"));
    }

    // ------------------------------------------------------------------ events

    private void begin() throws Exception {
        if (session != null) session.dispose();
        KieSessionConfiguration settings = RuleBaseFactory.newKnowledgeSessionConfiguration();
        if (stateful) settings.setOption(ClockTypeOption.PSEUDO);
        session = base.newKieSession(settings, null);
        place = 0;
        if (!stateful) return;
        clock = session.getSessionClock();
        Object first = inputs.get(0);
        clock.advanceTime((lines ? (Event) EVENTS.readValue((byte[]) first) : (Event) first).getTimestamp(),
            TimeUnit.MILLISECONDS);
    }

    private void take(Object input) throws Exception {
        Event event = lines ? EVENTS.readValue((byte[]) input) : (Event) input;
        if (stateful) {
            long passed = event.getTimestamp() - clock.getCurrentTime();
            if (passed > 0) clock.advanceTime(passed, TimeUnit.MILLISECONDS);
            session.insert(event);
            session.fireAllRules();
        } else {
            FactHandle handle = session.insert(event);
            session.fireAllRules();
            session.delete(handle);
        }
    }

    private int takeSeveral(int count) throws Exception {
        int answers = 0;
        for (int end = place + count; place < end; place++) {
            take(inputs.get(place));
            if (!fired.isEmpty()) {
                answers++;
                fired.clear();
            }
        }
        return answers;
    }

    /** Begin anew, and take what no clock sees, so that what is measured is a visit under way. */
    private void restart(double atMost) throws Exception {
        begin();
        long begun = System.nanoTime();
        while (place < prefix && seconds(begun) < atMost) takeSeveral(Math.min(CHUNK, prefix - place));
    }

    private void tell(int count, Path file) throws Exception {
        begin();
        try (PrintWriter told = new PrintWriter(Files.newBufferedWriter(file))) {
            for (Object input : inputs.subList(0, count)) {
                take(input);
                told.println(String.join(" ", fired));
                fired.clear();
            }
        }
    }

    private void warmUp(double atLeast) throws Exception {
        long begun = System.nanoTime();
        while (seconds(begun) < atLeast) {
            begin();
            while (place < inputs.size() && seconds(begun) < atLeast) takeSeveral(Math.min(CHUNK, inputs.size() - place));
        }
    }

    private String measured(double atLeast) throws Exception {
        long events = 0, answers = 0, spent = 0, cpu = 0;
        while (spent < atLeast * 1e9) {
            if (place == inputs.size()) restart(Double.MAX_VALUE);
            long begun = System.nanoTime(), used = processor();
            while (place < inputs.size() && spent + (System.nanoTime() - begun) < atLeast * 1e9) {
                int count = Math.min(CHUNK, inputs.size() - place);
                answers += takeSeveral(count);
                events += count;
            }
            spent += System.nanoTime() - begun;
            cpu += processor() - used;
        }
        return String.format(Locale.ROOT,
            "{\"events\": %d, \"answers\": %d, \"seconds\": %.6f, \"cpu\": %.6f}", events, answers, spent / 1e9, cpu / 1e9);
    }

    private void serve(double warm, int telling, Path file) throws Exception {
        tell(telling, file);
        warmUp(warm);
        restart(warm);
        System.out.println("ready");
        System.out.flush();
        BufferedReader asked = new BufferedReader(new InputStreamReader(System.in));
        for (String line = asked.readLine(); line != null; line = asked.readLine()) {
            System.out.println(measured(Double.parseDouble(line)));
            System.out.flush();
        }
        System.exit(0);
    }

    private static double seconds(long begun) {
        return (System.nanoTime() - begun) / 1e9;
    }

    private static long processor() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }
}
