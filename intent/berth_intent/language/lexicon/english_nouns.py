"""English: what nodes have, and how nodes are."""

from __future__ import annotations

from berth_intent.language.kinds import Kind
from berth_intent.language.lexicon.terms import Terms

WORDS: tuple[Terms, ...] = (
    Terms(
        Kind.LEVEL,
        "machine; box; computer; worker node; physical machine; physical host; virtual machine; physical server; hypervisor; metal; cluster node; compute node; physical node; hardware box; instance type; worker host; worker machine; kubernetes node",
        "node",
    ),
    Terms(
        Kind.LEVEL,
        "machines; boxes; computers; worker nodes; physical machines; physical hosts; virtual machines; physical servers; hypervisors; cluster nodes; compute nodes; physical nodes; worker hosts; worker machines; kubernetes nodes; box's",
        "node",
        plural=True,
    ),
    Terms(Kind.LEVEL, "cabinet; server rack; top-of-rack switch; tor switch; tor; chassis; server cabinet", "rack"),
    Terms(Kind.LEVEL, "cabinets; server racks; server cabinets", "rack", plural=True),
    Terms(Kind.LEVEL, "zonal", "zone"),
    Terms(
        Kind.LEVEL,
        "geographic region; geographical region; geography; cloud region; regional; continent; country; aws region; gcp region; data center; datacenter; data centre; datacentre",
        "region",
    ),
    Terms(
        Kind.LEVEL,
        "geographic regions; geographical regions; geographies; cloud regions; continents; countries; aws regions; gcp regions; data centers; datacenters; data centres; datacentres",
        "region",
        plural=True,
    ),
    Terms(
        Kind.MARK,
        "service; services; svc; svcs; deployment; deployments; app; apps; application; applications; workload; workloads; statefulset; statefulsets; daemonset; daemonsets; microservice; microservices; job; jobs; container; containers; process; processes; pipeline; tenant; task; tasks; deploy; cluster's; broker pods; component; stack; releaseset; neighbor; instances of; pods of; pods from; replicas of; the service; team's; workload called; deployment called; service called; named; called; agent; server pods; tier; fleet; consumers; producers; db pods; executors",
    ),
    Terms(
        Kind.RESOURCE,
        "core; cores; processor; processors; threads; processing power; compute power; horsepower; computing power; cpu power; processing; cpu capacity; compute capacity; cpu resources; number crunching; cpu cycles; processing capacity; computing capacity; oomph; cpu horsepower; cpu muscle; cpu performance",
        "cpu",
    ),
    Terms(Kind.RESOURCE, "memory capacity; mem capacity; ram capacity; heap space; memory space", "memory"),
    Terms(
        Kind.RESOURCE,
        "temp disk; temp disks; temp space; temporary disk; temporary storage; temporary space; tmp space; tmp disk; disk; disks; disk space; storage; local disk; local storage; local disk space; drive; drives; disk storage; node storage; scratch storage; scratch area; scratch volume; scratch room; cache disk; local scratch; local scratch space; local scratch disk; ephemeral disk; ephemeral space; ephemeral disk space; temp storage; temporary disk space; temporary files; temp files; working space; swap space; spill space; local ephemeral storage; local temp space; local space; local temp disk; storage space; temp dir; temp directory; free disk; free disk space; node-local storage; node-local disk; disk capacity; storage capacity; instance storage; temp; local volume; temporary scratch space; shuffle space; spill",
        "ephemeral",
    ),
    Terms(
        Kind.RESOURCE,
        "link; links; throughput; connectivity; network adapter; network adapters; connection; connections; pipe; pipes; port speed; line rate; networking speed; networked; network fabric; fabric; network pipe; network capacity; networking bandwidth; egress bandwidth; nic speed; bandwith; wire; network throughput; wire speed; network performance; networking performance; uplinks; ethernet link; ethernet card; ethernet links",
        "network",
    ),
    Terms(
        Kind.SPOT,
        "preempted; pre-empted; preemption; preemptions; pre-emption; (be|get|getting|being|gets) (preempted|pre-empted|reclaimed|interrupted|yanked); reclaimed; reclaims; interruptions; reclamation; spot interruption; spot interruptions",
        "event",
    ),
    Terms(
        Kind.GPU,
        "accelerator; graphics card; graphics accelerator; graphics processor; graphics processing unit; video card; accelerator card; gpu accelerator; gpu card; graphics chip; cuda core; gpu device; hardware accelerator; graphics; gpu board; cuda-capable card; nvidia device; cuda accelerator; cuda capable device; cuda-capable device; gpu slot; gpu unit",
    ),
    Terms(
        Kind.GPU,
        "accelerators; graphics cards; graphics accelerators; graphics processors; graphics processing units; video cards; gpu cards; cuda cores; gpu devices; gpu accelerators; hardware accelerators; cuda kernels; gpu boards; accelerator cards; nvidia devices; gpu slots; gpu units; nvidia accelerators",
        plural=True,
    ),
    Terms(
        Kind.IDLE,
        "(least|lightest|less|lightly|not very|not too|not so|not that|low) (loaded|busy|utili(s|z)ed|used|crowded|full|occupied|stressed|load|utili(s|z)ation|usage|pressure|contended|allocated|packed|burdened)",
    ),
    Terms(
        Kind.IDLE,
        "idle; idling; idles; idlest; quiet; quieter; quietest; underutili(s|z)ed; under-utili(s|z)ed; underused; uncrowded; unloaded; underloaded; relaxed; calmest; emptiest; emptier; most idle; most free; (most|more|plenty of|lots of|enough|some|much|a lot of|spare|ample) (free |spare |) (capacity|headroom|room|breathing room|slack|air|free resources|resources left|capacity left|free room|spare capacity|spare room|free capacity|spare resources); (has|have|with) (headroom|room to spare|capacity to spare|spare capacity|breathing room|free capacity|room to breathe|space to breathe); headroom; breathing room; spare capacity; free capacity; room to breathe; room to spare; least load; lowest load; lowest utili(s|z)ation; lowest usage; little load; little going on; nothing going on; less going on; least going on; not much going on; nothing else running; nothing is running; little to do; nothing to do; less traffic; coolest; under light load; fewest pods; fewest workloads; fewest other pods; fewest other workloads; least pods; lowest cpu usage; lowest memory usage; lowest cpu load; least utili(s|z)ed; least used; light load; low load; low cpu load; not (already |too |heavily |so |very |being |that |yet |)(overloaded|busy|crowded|swamped|overcommitted|overbooked|overworked|saturated|hammered|loaded|heavily loaded|heavily used|under pressure|congested|stressed|full|maxed out|hot|under load|overcrowded|oversubscribed|jammed); (isn't|aren't|is not|are not|isn't already|aren't already|isn't too|is not too|ain't|isnt|arent) (overloaded|busy|crowded|swamped|overcommitted|overbooked|overworked|saturated|hammered|loaded|heavily loaded|heavily used|under pressure|congested|stressed|full|maxed out|hot|under load|overcrowded|oversubscribed|packed); free nodes; free node; free machines; vacant; less loaded; least-busy; least-loaded; less-loaded; freest; unoccupied; unburdened",
    ),
    Terms(
        Kind.IDLE,
        "(spread|distribute|balance|level|even out|equali(s|z)e|share|load balance) ~ load ~ (over|across|between|among) ~ (nodes|machines|hosts|servers|cluster)",
    ),
    Terms(
        Kind.BUSY,
        "overloaded; busy; busiest; busier; crowded; swamped; overcommitted; overbooked; overworked; saturated; hammered; loaded; most loaded; heavily loaded; heavily used; heavily utili(s|z)ed; under pressure; congested; stressed; full; full to the brim; nearly full; almost full; maxed out; hot; under load; overcrowded; oversubscribed; hotspots; hotspot; hot spots; hot nodes; heavy load; under heavy load; highly loaded; highly utili(s|z)ed; already loaded; already busy; bogged down; hot node; crammed; jammed; over-loaded; overutili(s|z)ed; over-utili(s|z)ed; loaded nodes; strained; struggling; choking; noisy; noisy neighbo(u|)r; noisy neighbo(u|)rs; resource contention; contention",
    ),
    Terms(
        Kind.PACKED,
        "bin-pack; bin pack; binpack; binpacked; bin-packed; bin-packing; bin packing; binpacking; most packed; most allocated; most-packed; most-allocated; most used; most utili(s|z)ed; fullest; fuller; most full; tightly packed; densely packed; densely; dense; (already |) (in use|used|partly used|partially used|partly filled|partially filled|half full|half-full|partly full|occupied|partially occupied|partially full|well used|well utili(s|z)ed|utilized|utilised) (already |)(nodes|hosts|machines|servers|boxes|ones); (nodes|hosts|machines|servers|boxes|node|machine|host|ones|one) ~ (in use|partly used|partially used|partly filled|half full|partly full|occupied|well used|partially full|being used|running something|running stuff|running things|in service|partially occupied|busy already|used already|filled already) (already|); already in use; in use already; already used; already running pods; fill up; fill; fills; filling; fill up existing; fill the gaps; fill gaps; fill in; pack nodes; pack the nodes; pack tight; pack tightly; pack densely; pack onto existing; pack existing; pack onto used; pack onto nodes; packed nodes; packed node; tight packing; dense packing; reuse nodes; reuse existing; reuse existing nodes; don't open (a |) new; don't wake; don't spin up (a |)new; don't start (a |)new; don't add (a |)new; without starting new; without adding new; save nodes; free up nodes; keep nodes empty; leave nodes empty; leave nodes free; consolidate onto used; consolidate onto existing; consolidate onto busy; existing nodes first; top up; plug gaps; plug holes; tetris; fewest free; least free; high utili(s|z)ation; maximi(s|z)e utili(s|z)ation; most loaded node; high packing; leave (other|the other|whole|the rest of the|empty|the empty) (nodes|machines|hosts|servers|ones) (empty|free|alone|idle); keep (other|the other|whole|the rest of the|empty|as many|some) (nodes|machines|hosts|servers|ones) (empty|free|idle); so that (other|whole|some|the other|empty|entire) (nodes|machines|hosts|servers) (can be|stay|remain|are|can) (empty|free|removed|scaled down|shut down|drained|scale down|released); squeeze in; squeeze into; make use of nodes",
    ),
    Terms(Kind.EMPTY, "empty; fresh; unused; brand new; brand-new; pristine; completely free; blank"),
    Terms(
        Kind.CACHED,
        "cached; already (there|pulled|downloaded|present|loaded|warm|in cache|on disk|local|stored|available|fetched|resident|sitting|in memory|cached|preloaded|on local disk|in place|in local cache|on the disk); pre-pulled; prepulled; pre-loaded; preloaded; pre-cached; precached; warm; warm cache; warmed; warmed up; locally available; on local disk already; in the cache; in cache; hot cache; pulled already; downloaded already; there already; present already; loaded already; in local cache; in the local cache; cache hit; locally cached; sitting on disk; have it cached; has it cached; have a copy; has a copy; holds a copy; hold a copy; downloaded; pulled; already",
    ),
    Terms(
        Kind.CACHED,
        "(avoid|no|without|save|skip|saves|prevent) ~ (downloading|download|pulling|pull|redownloading|fetching|re-download|re-pull|re-downloading|re-pulling) ~ (model|weights|checkpoint|model weights|image); (skip|avoid|save|saves|without|no|spare|spares us) ~ (model|weights|checkpoint|image) (download|downloads|pull|pulls|fetch|loading|transfer); don't (download|pull|fetch|redownload|re-download) ~ (model|weights|checkpoint|model weights)",
        "model",
    ),
    Terms(
        Kind.CACHED,
        "that (have|has|hold|holds|got|keep|keeps) ~ (image|weights|model weights|checkpoint); (have|has|hold|holds) the (image|weights|model weights); model cache; model-cache; weight cache; image cache; model cache hit; warm model cache; weights cache; cached model; cached models; cached weights; cached image",
        "model",
    ),
    Terms(
        Kind.MODEL,
        "model; weights; model weights; checkpoint; checkpoints; model files; llm; model image; model images; image of the model; the weights; safetensors; container image; docker image; llama weights; lora; adapters; model artifacts; model artifact; parameters; gguf; tokenizer files; our image; image layers; images; the image; base image; llm weights; our model; the model; models",
    ),
    Terms(
        Kind.HIGH,
        "the more; as much; big; bigger; biggest; large; larger; largest; huge; lots of; a lot of; lot of; lots; plenty of; much; loads of; tons of; a ton of; many; high; higher; highest; powerful; beefy; beefier; beefiest; strong; stronger; strongest; hefty; ample; generous; massive; most powerful; heavy; heavier; hungry; intensive; bound; optimi(s|z)ed; fat; roomy; spacious; considerable; substantial; serious; extra; oodles of; heaps of; abundant; enormous; giant; monster; high-end; top-end; high-throughput; high throughput; high-bandwidth; high bandwidth; intense; more; most; max; rich; greedy; boatload of; boatloads of; a whole lot of; vast; maximum possible; robust cpu; abundance of; gobs of; chunky; meaty; muscular; thirsty; high-capacity; high capacity; tonnes of; as much; gigantic; great deal of; bucketloads of; extensive; demanding; dependent; wide; bigger-than-average; sizeable; sizable; large amounts of; large amount of; high amount of; high amounts of; fat pipe; heavyweight; big iron; crunchy; brawny; wads of; piles of",
        "high",
    ),
    Terms(
        Kind.HIGH,
        "fast; faster; fastest; speedy; snappy; zippy; quick; rapid; blazing fast; blazing; super fast; ultra fast; ultra-fast; high-speed; high speed; low-latency; performant; high-performance; high performance",
        "speed",
    ),
    Terms(
        Kind.LOW,
        "small; smaller; smallest; little; modest; low; lower; lowest; tiny; tinier; slow; slower; light; lightweight; minimal; weak; weaker; slim; puny; mini; low-end; low end; entry-level; not much; not a lot of; only a little; a little; wimpy; lean; frugal; small amount of; small amounts of; low-spec; low-power; low power; less; least; underpowered; meager",
        "low",
    ),
)
