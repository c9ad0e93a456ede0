"""English: operators, nouns of place, small words. How strong words are and what makes no wish stand in `english_mood`."""

from __future__ import annotations

from berth_intent.intents import STRONG
from berth_intent.language.kinds import Kind
from berth_intent.language.lexicon.terms import Terms

WORDS: tuple[Terms, ...] = (
    # --- clauses
    Terms(
        Kind.AND,
        "and; plus; as well as; &; along with having; in addition to being; also; then; additionally; and also",
    ),
    Terms(Kind.OR, "or; nor; or else; either; alternatively; or also; and/or"),
    Terms(
        Kind.BUT,
        "but; however; yet; though; although; but also; but still; whereas; while also; even so; nonetheless; otherwise",
    ),
    Terms(
        Kind.CAUSE,
        "because; because of; since; due to; so that; thanks to; in order to; cause; cuz; as we; as they; the reason is; for the sake of; given that; seeing as",
    ),
    Terms(
        Kind.LIMIT,
        "until; till; as long as; provided that; provided; while; whereby; so; hence; therefore; thus; meaning; i.e.; ie; which means; that means; which; who; even if; even when; even though",
    ),
    Terms(Kind.IF, "if; in case; in case of; whenever; when; once; unless; assuming; should there be"),
    Terms(Kind.FILLER, "even if (a|an|one|the|any|some|we|it)"),
    # --- where it is wished
    Terms(
        Kind.AVOID,
        "avoid; avoids; avoiding; avoided; shunned; skipped; skipping; omitted; evaded; bypassed; bypassing; ruled out; left out; kept off; kept away; kept out; dodged; excluded from; evade; shun; bypass; skip; exclude; excludes; excluding; ban; blacklist; blocklist; denylist; dodge; omit; eschew; reject; refuse; spare us; refrain from; drop; leave out; leave ~ (alone|out); rule out; hate (to|); hates (to|); hated; dislike; fear; dread; detest; loathe; can't stand; cannot stand; evict us from; unschedule from; prevent; stop; veto; quarantine us from",
        verb=True,
    ),
    Terms(
        Kind.AVOID,
        "(keep|keeps|stay|stays|kept|keeping|staying|remain|steer|get|hold|move|stand|run|put|place|go|be|back|shy) ~ (off|away|clear|out)(| of| from); (keep|stay) (it|us|them|this|) of",
        verb=True,
    ),
    Terms(
        Kind.AVOID,
        "away from; clear of; apart from the; far from; (further|farther) (away |)from; the (further|farther) (away |)from; far away from; separate from; separated from; separately from; isolated from; isolate from; isolate us from; isolate it from; isolate this from; isolate them from; isolation from; away; off; off of; out of; apart from; as far as possible from; as far away as possible from; as far from; segregated from; segregate from; disjoint from; at a distance from; distance from; distance between; separation between; gap between; distant from; decoupled from",
    ),
    Terms(
        Kind.AVOID,
        "unwanted; undesired; undesirable; not wanted; not desired; somewhere else; elsewhere; someplace else; on some other; off limits; off-limits; (free|reserved) for (others|other|everyone|those|people|folks|whoever|training|the others|the training); not for us; for others; for everyone else; for someone else; no-go; no go; not welcome; unwelcome; blacklisted; excluded; banned; taboo; not an option; out of the question; unacceptable; not acceptable; to be avoided; a (wide |)berth; wide berth; a (big |)miss; the boot; a (bad|terrible|horrible|poor|awful|silly|risky) idea; (would|will|'d) (defeat the purpose|be (bad|terrible|awful|horrible|risky|pointless|a mistake|a disaster|a problem|a nightmare|silly|dangerous|unwise|unfortunate|a shame)|hurt us|ruin (us|it|everything)); defeats the purpose; makes no sense; is asking for trouble; asking for trouble; don't go there; noisy neighbo(u|)r(|s) - keep away; anti-affinity (with|to|against|towards|toward|for|from); antiaffinity (with|to|against|for); repel; repelled by; repels",
    ),
    Terms(
        Kind.AVOID,
        "forbid; forbids; forbidden; prohibited; prohibit; prohibits; not allowed; not permitted; disallowed; verboten; interdicted",
        strength=STRONG,
        verb=True,
    ),
    Terms(
        Kind.AVOID,
        "(compete|competing|competes|interfere|interfering|contend|contending|clash|collide|conflict|fight) with; contention with; interference (from|with); competition with",
        payload="contend",
    ),
    Terms(Kind.AVOID, "leave; leaves; leaving; exit; exits; get out of; be moved out of", payload="leave", verb=True),
    Terms(
        Kind.EXCEPT,
        "except; except for; excepting; other than; apart from; aside from; save for; with the exception of; but not; minus; outside; outside of; besides",
    ),
    Terms(
        Kind.EXCEPT,
        "(anywhere|everywhere|everything|anything|any node|any zone|any rack|any region|any host|any machine|any server|any other node|any other zone|any other rack|any other region|any place|all nodes|all zones|all racks|all regions|every node|every zone|every rack|every region|wherever you like|wherever|wherever you want) (but|except|except for|other than|besides|apart from|aside from|save|outside|outside of|bar|minus|excluding|that isn't|that is not|which is not|but not|just not|only not|, just not|, but not|, except|, only not|else than|as long as it's not|as long as it is not|as long as it isn't)",
        payload="any",
    ),
    Terms(Kind.INSTEAD, "instead of; rather than; in place of; in lieu of; in preference to; as opposed to"),
    Terms(
        Kind.SPREAD,
        "spread; spreads; spreading; distribute; distributes; distributed; distributing; scatter; scattered; scatters; scattering; disperse; dispersed; balance; balanced; balancing; rebalance; diversify; diversified; fan out; stagger; staggered; sprinkle; partition; spread out; stretch; stretched; dispersing; divide; divided; strew; striped; stripe; round-robin; round robin; alternate; interleave; rotate",
        verb=True,
    ),
    Terms(
        Kind.SPREAD,
        "diversity; diverse; redundancy; redundant; anti-affinity; antiaffinity; anti affinity; distribution; dispersion; dispersal; spreading; redundantly; diversification; separation; awareness; rack-aware; zone-aware; (ha|high availability|highly available|availability|failover|redundancy|resilience|resiliency) (over|across|between|in); highly available across; anti-affinity by; apart; far apart; wide apart; asunder; topology spread; spread constraint; aware; resiliency; fault isolation; tolerance; tolerant; resilience; fault tolerance; fault-tolerance; fault tolerant; fault-tolerant",
        "quality",
    ),
    Terms(
        Kind.SPREAD,
        "multi; cross; across; among; amongst; inter; spanning; span; throughout; covering; all over",
        payload="across",
    ),
    Terms(
        Kind.SURVIVE,
        "survive; survives; surviving; tolerate; tolerates; tolerating; withstand; endure; outlive; resist; live through; ride out; resilient; resilience; resiliency; resistant; robust; robust against; immune; robustness; protected against; protect against; protect us; protects against; proof against; cope with; handle; still work; keep working; keep running; keep serving; stay up; be up; still be up; stay alive; be alive; still be alive; keep (on |)(answering|responding|going|operating|functioning|ticking); still (serve|answer|respond|run|function|operate); still be (serving|running|available|reachable|online|there|answering|working|alive|standing); be reachable; remain reachable; remain online; be online; stay online; stay available; remain available; remain up; continue; keeps us up; weather; safe against; safe from; safe if; recover from; can lose; may lose; can afford to lose; afford to lose; able to lose; ready for; in spite of; despite; no single point of failure; not be a single point of failure; not become a single point of failure; not a single point of failure; guard against; hedge against; insure against; take out all; take down all; take us all down; take us all out; kill all; kill us all; wipe us out; wipe out all; lose everything; lose all",
        verb=True,
    ),
    Terms(
        Kind.FAILURE,
        "failure; failures; outage; outages; loss; losing; going down; goes down; go down; dying; dies; die; downtime; crash; crashes; breaks; break down; breakdown; disaster; failing; fails; fail; down; reboots; reboot; rebooting; rebooted; restarts; take us down; take us out; take down; takes down; kill us; takes us down; takes us out; takes out; bring us down; knock us out; disappearing; disappears; blackout; blast radius; single point of failure; spof; lost; gone; maintenance; dead; eggs; power cut; unavailable; hit us; burns down; vanishes; vanish; offline; collapse; collapses; explodes; (goes|go|went|going) dark; goes away; blows up; blow up; catches fire; catch fire; loses power; lose power; keels over; gets lost; tips over; is lost; are lost; goes poof; get taken out; gets taken out; goes offline; drops out",
    ),
    Terms(
        Kind.TOGETHER,
        "co-locate; colocate; collocate; co-locates; colocates; collocates; co-located; colocated; collocated; co-locating; colocating; collocating; co-location; colocation; collocation; co locate; co located; together; all together; gather; gathered; bundle; bundled; grouped; group (us|them|the|all|our|my|together|everything); pair; paired; pair up; stick together; share fate; bunch up; bunch; huddle; co-schedule; coschedule; co-scheduled; coscheduled; attach; attached; glue; glued; stick; sticks; hug; cohabit; sit with; live with; lives with; living with; runs with; go with; goes with; belong with; belongs with; co-reside; coreside; stay with; stacked; stack; stacking; pile; piled; pile up; co-tenant; join",
        verb=True,
    ),
    Terms(
        Kind.TOGETHER,
        "pack; packs; packed; packing; consolidate; consolidated; concentrate; concentrated; cram; squeeze; lump; clump; jam; co-pack; pack tightly; stuff; dump; condense; condensed; compact",
        payload="pack",
        verb=True,
    ),
    Terms(
        Kind.NEAR,
        "near; nearby; near to; close; close to; close by; closer; closer to; closest; closest to; nearer; nearest; nearest to; nearer to; next to; right next to; next door; next door to; beside; alongside; adjacent; adjacent to; side by side; side-by-side; neighbo(u|)ring; neighbo(u|)r; neighbo(u|)rs; neighbo(u|)r to; vicinity; the vicinity of; in the vicinity of; proximity; proximity to; in proximity to; (short|small|tiny|minimal) (distance|distances) (between|among|to); within reach of; within reach; not far from; not too far from; within a hop of; within one hop of; one hop from; a hop from; a hop away from; one hop away from; a few hops from; few hops from; by the side of; shoulder to shoulder; adjoining; affinity (with|to|for|towards|toward); pod affinity (with|to|for); local to; bordering; in the neighbo(u|)rhood of; neighbo(u|)rhood; minimi(s|z)e (network |) distance (to|from|between); minimi(s|z)e hops to; short distance (to|from); short path to; within arm's reach of; attracted to; hugging; close proximity; close proximity to; snug; cosy; cozy; within spitting distance of; a stone's throw from",
    ),
    Terms(
        Kind.NEAR,
        "(low|lower|lowest|minimal|minimum|short|tiny|small|least|ultra-low|sub-millisecond|submillisecond|good|best|minimise|minimize|reduce|keep|little|less|ultra) ~ (latency|latencies|rtt|delay|lag|ping) (to|towards|toward|with|for|from|against|when talking to|when calling|between us and|between it and|between|among); latency (to|towards|with|against|from|between us and); latency-sensitive to; latency sensitive to; fast access to; quick access to; fast path to; fast connection to; quick reach of; rtt to; round trip to; round-trip to; ping to; short round trips to; short hops to; fast hops to; hop count to; network distance to",
        payload="latency",
    ),
    Terms(
        Kind.SHARE,
        "meet; meets; run into; runs into; bump into; cross paths with; share; shares; sharing; shared; cohabiting; coexist; co-exist; double up; doubling up; land together; end up together",
    ),
    Terms(
        Kind.SAME, "same; the very same; the exact same; identical; exact same; very same; very; common; same single"
    ),
    Terms(
        Kind.OTHER,
        "different; another; separate; distinct; own; unique; other; individual; disjoint; differing; dedicated; its own; their own; varying; various; exclusive; distinct; independent",
    ),
    Terms(
        Kind.WHERE,
        "where; wherever; that host; which host; that hosts; which hosts; hosting; that run; that runs; which run; which runs; running; that is running; that are running; that has; that have; that also run; that also runs; that also host; occupied by; used by; of the; that holds; that hold; holding; home to; belonging to; containing; that contain; that contains; carrying; that already run; that already runs; already running; housing; that house; that houses; whichever node; whichever zone; whichever rack; whatever node; whatever zone; whatever rack; inhabited by; that carry; that carries; serving",
    ),
    Terms(Kind.AS, "as; than; with; w/; from; to; of; like; towards; toward; next; against; between; used by"),
    Terms(
        Kind.IN,
        "(served|serve|serves|operated|operating|operate|hosted|working|work) out of; in; on; at; within; into; onto; inside; over; under; through; via; to the; up in; down in; out in; upon; @",
    ),
    Terms(Kind.EACH, "each; every; per; apiece; every single; any given; any single; a piece"),
    Terms(
        Kind.ONE,
        "one; single; just one; only one single; exactly one; a single; one single; the one; one and the same; one and only one; a lone; 1 single; the same single; one common",
    ),
    Terms(Kind.ARTICLE, "a; an"),
    Terms(Kind.ALL, "all; both; entire; whole; the lot; all of; the whole lot; all the; all our; all my; every last"),
    Terms(
        Kind.ANY,
        "any; any old; anywhere; whichever; whatever; some; no particular; no specific; somewhere; which; everywhere; random",
    ),
    Terms(
        Kind.MANY,
        "(several|multiple|many|more than one|numerous|more|a few|as many|a number of)( different| separate| distinct| other|); as many different",
    ),
    Terms(
        Kind.FEW,
        "fewer; the fewer; as few; the fewest; fewest; few; minimum number of; minimal number of; minimal set of; smallest number of; smallest set of; fewest possible; the minimum number of; least number of; a small number of; as little; handful of",
    ),
    Terms(
        Kind.SELF,
        "us; we; our replicas; our pods; our instances; replicas; replica; instances; copies; copy; siblings; sibling; eachother; each-other; each other; one another; ourselves; themselves; itself; myself; shards; shard; members; member; peers; brokers; broker; my pods; my replicas; these pods; these replicas; the pods; the replicas; pods of this deployment; pods of the deployment; pods from this deployment; pods of this app; own pods; own replicas; its replicas; its pods; their replicas; this deployment; this app; this service; this workload; this application; my app; our app; my service; our service; my deployment; our deployment; this job; this statefulset; each pod; each replica; each instance; each copy; workers; worker; pods; pod; me; two of us; any two; two pods; two replicas; two instances; two copies; multiple replicas; multiple pods; my siblings; our siblings; other replicas; other pods; other instances; my other replicas; our other replicas; its siblings; ranks; trainers; stages; repl; repls; my fellow replicas; fellow replicas; fellow pods; twins; clones; partners; masters; followers; leaders; leader; follower; the rest of us; quorum; ensemble; sister pods; my workers; our workers; the workers; components; nodes of the gang; podz; the other pods of this deployment; other members; learners",
    ),
    Terms(
        Kind.SELF,
        "(all|all the|all our|all my|all of our|all of my|all of the|all these|all its|both|every|every single) (pods|replicas|instances|copies|workers|shards|members|pod|replica|instance|copy|worker|shard); all of us; us all; everyone; all siblings; everything; all of it; all of them; them all",
        "all",
    ),
    Terms(
        Kind.IT,
        "so that is where; so that's where; that is where; that's where; it; them; there; that one; those; this one; these; him; they; over there; that place; the latter; the former; that; this; right there; that node; that rack; that zone; that region; this node; this rack; this zone; this region; those nodes; those racks; those zones; that host; that machine; these nodes; that box; its",
    ),
    Terms(
        Kind.VERB,
        "placing; putting; scheduling; landing; sitting; deploying; locating; pinning; hosting; launching; moving; starting; keeping; staying; remaining; being; going; choosing; picking; getting; having us; living; settling; assigning; allocating; positioning; executing; run; runs; ran on; place; places; put; puts; deploy; deploys; schedule; schedules; land; lands; sit; sits; live; lives; reside; resides; pin; pins; locate; assign; bind; launch; start; spawn; position; allocate; move; send; target; settle; execute; place us; put us; keep; keeps; stay; stays; remain; remains; end up; ends up; go; goes; restrict; confine; confined; limit; limited; restricted; stick to; bound to; go for; pick; choose; select; use; using; waste; wasting; utilize; utilise; take; give; gimme; get; grab; find; let; let's; make; ensure; make sure; guarantee; set; have us; come; follow; follows; lie; drop us; running on; aim for; favor; favour; opt for; stay put; bring; keep all; land on; works; work; trains; train; render; renders; infer; operate; operates; train on; kept; fit; fits; want it; ship; shipped; pls; place me; dwell; belong; belongs; spin up; assigned; allocated; launched; started; started on; prioritize; prioritise",
        payload="place",
        verb=True,
    ),
    Terms(
        Kind.VERB,
        "need; needs; needed on; needing; want; wants; wanted; request; requests a; demand; demands; crave; craves; ask for; asks for; looking for; look for; should; should be; shall; we want; supposed to; ought to; expects; expect; deserve; deserves; benefit from; benefits from; thrives on; calls for; called for; in need of; longs for; wishes; depends on having; should have; should get; would benefit from; can use; could use; eats; eat; consumes; uses; wanting; seeking; hungry for; will need; gonna need; requesting; ask; asking for; relies on; rely on; (compiled|compile|built|build|cross-compiled|builds|compiles) (for|against|only for); targets; target",
        payload="need",
        verb=True,
    ),
    Terms(
        Kind.VERB,
        "be used; get used; being used; leave (us|it|me|them|pods|the pods|our pods) (in|on|at); placement; deployment to; located; placed; scheduled; deployed; pinned; hosted; situated; be placed; be scheduled; be put; be deployed; be; be on; be in; housed; running on; positioned",
        payload="place",
    ),
    Terms(
        Kind.VERB,
        "is; are; am; is in; is on; being; been; it's; that's; we're; they're; i'm; gets; remains; seems; looks; becomes; become; counts; matters; is what matters",
        payload="be",
    ),
    Terms(
        Kind.VERB,
        "(you|you've|we|we've|they|they've|it|it's|has|have) got; whose; has; have; having; with; featuring; w; including; offering; that has; that have; which has; which have; equipped with; comes with; attached; provides; offer; offers; supports; supporting; that supports; that offers; that support; includes; contains; sporting",
        payload="have",
    ),
    Terms(
        Kind.FILLER,
        "whatever you do; whatever happens; either way; (i|we) (was|were|have been|got|am|are) (told|asked|advised|instructed) to; (have|has) been (told|asked|advised) to; residency; data residency; sovereignty; data sovereignty; first; firstly; second; secondly; third; thirdly; the; our; my; amount of; amounts of; real-time; real time; near real-time; near real time; near realtime; near the end; close to real-time; close to real time; close to zero; close to done; close to finished; next to nothing; near future; in the near future; near term; near zero; as well; your; their; please; pls; plz; kindly; also; really; just; simply; very; so; too; that; this; these; hey; hi; hello; thanks; thank you; thx; ty; cheers; then; still; available; availability; possible; as possible; evenly; equally; at least; minimum; min; at most; max; maximum; around; about; approximately; approx; roughly; enough; or more; or better; or so; plenty; decent; proper; i; you; will; would; can; could; do; does; did; let; by; kind of; type; types; sort of; level; capable; enabled; accelerated; equipped; backed; based; attached; ready; class; style; grade; powered; local; dedicated; physical; whole; particular; given; certain; specific; respective; way; place; somewhere; instead; again; always; currently; now; today; free; extra; additional; total; capacity; space; for; ~; upwards of; up to; no less than; no fewer than; not less than; nothing less than; greater than; more than; over; >; >=; <; <=; =; exactly; worth of; worth; etc; ok; okay; well; high availability; ha; highly available; for ha; for high availability; asap; fyi; btw; imho; tbh; scheduling; scheduler; kubernetes; k8s; cluster; note; hint; placement hint; wish; wishlist; request; location; number; no.; nr; nr.; dear; team; there; here; even; much; mostly; mainly; primarily; generally; usually; all right; alright; everyone; folks; guys; cheap; nice; right; most; quite; pretty; fairly; somewhat; bit; a bit; bit of; thing; things; stuff; one; ones; to be; being; having; such; such as; like; e.g.; eg; say; namely; fully; as; upon; directly; straight; exact; single-tenant; all-in-all; capability; support; supported; either; set of; kinds; hardware; equipment; resource; resources; is about; regarding; concerning; in terms of; in general; in particular; whatsoever; at all; by any means; go ahead and; go; feel free to; workload; of course; definitely; certainly; surely; obviously; inference; training; serving; batch; model-serving; heavy-duty; as such; each; x; i'll; we'll; it'll; we've; i've; we'd; it'd; they'd; let me; i think; i guess; i believe; we think; we believe; in order; that is; other; others; someone; whoever; anyone; itself; up; out; down; back; in total; combined; overall; large-scale; production; prod; primary; standby; region-wise; zone-wise; bare metal; onboard; modern; recent; newer; newest; new; old; older; great; generation",
    ),
    Terms(
        Kind.FILLER,
        "near (duplicate|duplicates|miss|misses|identical|optimal|perfect|zero|neighbour search|neighbor search); flash attention; flashattention; flash-attention; same as (before|usual|always|ever|above|last time|the others|everyone else); hot spot; spotlight; spot the; spot a; spot any; spotted; spot checks; spot-check; spot on; spot check; off the shelf; best off; better off; well off; trade off; trade-off; kick off; time off; day off; off hours; off-hours; one-off; on and off; in use; in particular; zone file; on top; on time; on call; nothing fancy; in sync; out of the box; out of memory; run out of; runs out of; ran out of; running out of; out of date; out of order; on average; across the board; high priority; low priority; high availability; large language model; small language model; big model; large model; small model; large batch; big data; over time; at the moment; at night; at noon; at runtime; in general; in production; at scale; in mind; on its way; in front of; in parallel; at once; at the same time; same time; same day; on demand scaling; on startup; close the; close connections; close attention; shut down; slow down; scale down; scale up; cool down; spin down; wind down; tear down; count on; rely on it; on mondays; on fridays; in between; to and from; one of the; one of; ones with",
    ),
)
