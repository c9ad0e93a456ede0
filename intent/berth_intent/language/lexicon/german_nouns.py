"""German: what nodes have, and how nodes are. Compounds of these words need not be declared."""

from __future__ import annotations

from berth_intent.language.kinds import Kind
from berth_intent.language.lexicon.terms import Terms

WORDS: tuple[Terms, ...] = (
    Terms(
        Kind.LEVEL,
        "knoten; rechner; maschine; server; host; rechenknoten; kiste; node; hosts rechner; computer; wirt; worker-knoten; workerknoten; servers; rechners; blech; virtuelle maschine; physische maschine; physischer server; physischen server; physischen maschine; physischer host; physischen host; gerät; knotens",
        "node",
    ),
    Terms(
        Kind.LEVEL,
        "maschinen; servern; rechnern; kisten; physische maschinen; physischen maschinen; virtuelle maschinen; geräte; geräten; physische server; physische hosts",
        "node",
        plural=True,
    ),
    Terms(Kind.LEVEL, "schrank; serverschrank; schrankes; regal; gestell", "rack"),
    Terms(
        Kind.LEVEL,
        "schränke; schränken; serverschränke; serverschränken; regale; regalen; gestelle; gestellen",
        "rack",
        plural=True,
    ),
    Terms(
        Kind.LEVEL,
        "zone; verfügbarkeitszone; verfuegbarkeitszone; ausfallzone; ausfalldomäne; fehlerdomäne; verfügbarkeits-zone",
        "zone",
    ),
    Terms(Kind.LEVEL, "zonen; verfügbarkeitszonen; ausfallzonen; ausfalldomänen; fehlerdomänen", "zone", plural=True),
    Terms(Kind.LEVEL, "region; rechenzentrum; rz; land; standortregion; rechenzentrums", "region"),
    Terms(Kind.LEVEL, "regionen; rechenzentren; länder; ländern", "region", plural=True),
    Terms(
        Kind.MARK,
        "dienst; dienste; diensten; webserver; webdienst; webanwendung; dienstes; deployment; deployments; anwendung; anwendungen; app; apps; service; services; job; jobs; jobs von; container; containern; prozess; prozesse; prozessen; aufgabe; aufgaben; microservice; namens; genannt; workload; workloads; anwendungs-pods; agent; agenten; statefulset",
    ),
    Terms(
        Kind.RESOURCE,
        "prozessor; prozessoren; kern; kerne; kernen; cores; core; cpu-kerne; cpu-kernen; rechenleistung; rechenkerne; rechenkernen; rechenpower; cpu-leistung; rechenkapazität; prozessorleistung; cpu-power; leistung; prozessorkerne; prozessorkernen; cpu-kern; threads; cpu-kapazität; cpus",
        "cpu",
    ),
    Terms(
        Kind.RESOURCE,
        "arbeitsspeicher; hauptspeicher; speicher; ram; arbeitsspeichers; ram-speicher; memory; hauptspeichers",
        "memory",
    ),
    Terms(
        Kind.RESOURCE,
        "platte; platten; festplattenspeicher; plattenplatz; festplattenplatz; speicherplatz; scratch; scratch-speicher; scratchspeicher; scratch-platz; temporärer speicher; temporären speicher; temporärer speicherplatz; temporären speicherplatz; temporärer platz; temporäre platte; temporärer plattenplatz; temporären plattenplatz; temp-speicher; temp-platz; tempspeicher; lokaler speicher; lokalen speicher; lokaler plattenplatz; lokalen plattenplatz; lokaler speicherplatz; lokalen speicherplatz; ephemerer speicher; ephemeren speicher; flüchtiger speicher; flüchtigen speicher; zwischenspeicher; temporärdateien; temporäre dateien; temp; laufwerk; laufwerke; festplatte; temporäre daten; ephemeral-speicher; ephemeral storage; scratch-space; scratch space; scratch-disk; scratch-platte; temp-disk; disk; storage; lokale platte; lokalem speicher; temporärem speicher; ephemerem speicher; scratch-bereich; flüchtigem speicher; kurzlebiger speicher",
        "ephemeral",
    ),
    Terms(
        Kind.RESOURCE,
        "netzwerk; netz; bandbreite; netzwerkbandbreite; netzwerkanbindung; netzanbindung; anbindung; verbindung; netzwerkverbindung; netzwerkkarte; netzwerkkarten; netzwerkgeschwindigkeit; durchsatz; netzwerkdurchsatz; leitung; leitungen; uplink; netzwerklink; link; ethernet; netzwerkschnittstelle; nic; netzverbindung; netzwerkleistung; netzdurchsatz; netzbandbreite; netzwerks; netzwerkleitung; datenrate; internet-anbindung",
        "network",
    ),
    Terms(
        Kind.DEVICE_MEMORY,
        "gpu-speicher; grafikspeicher; vram; videospeicher; gpu-ram; gpu speicher; grafikkartenspeicher",
    ),
    Terms(
        Kind.GPU,
        "grafikkarte; beschleuniger; grafikprozessor; nvidia-karte; gpu-karte; grafikbeschleuniger; beschleunigerkarte; nvidia karte; gpu karte; grafikeinheit; cuda-karte; rechenbeschleuniger; gpu-beschleuniger; cuda-job",
    ),
    Terms(
        Kind.GPU,
        "nur cpu; nur-cpu; cpu-knoten; reine cpu; reine cpu-knoten; reinen cpu-knoten; gpu-freie; gpu-freien; gpu-lose; gpu-losen; nur-cpu-knoten; reine cpu-maschinen; cpu-maschinen; cpu-server; cpu-rechner",
        "without",
    ),
    Terms(
        Kind.GPU,
        "grafikkarten; beschleunigern; grafikprozessoren; nvidia-karten; gpu-karten; beschleunigerkarten; nvidia karten; gpu karten; cuda-karten",
        plural=True,
    ),
    Terms(
        Kind.STORAGE,
        "ssd-platte; ssd-platten; ssd-speicher; ssd platten; ssd platte; flash-speicher; flashspeicher; ssd-storage; ssd-laufwerk; ssd-laufwerke; ssd speicher; flash-platten; flash-laufwerke; halbleiterlaufwerk",
        "ssd",
    ),
    Terms(
        Kind.STORAGE,
        "nvme-platte; nvme-platten; nvme-speicher; nvme-ssd; nvme-ssds; nvme-laufwerk; nvme-laufwerke; nvme-disk; nvme platte; nvme platten; nvme speicher; nvme-disks; nvme-storage",
        "nvme",
    ),
    Terms(
        Kind.STORAGE,
        "hdd-platte; hdd-platten; drehende platten; drehenden platten; rotierende platten; rotierenden platten; magnetplatten; magnetplatte; magnetfestplatten; festplatten; mechanische platten; mechanische festplatten; klassische festplatten; klassischen festplatten; herkömmliche festplatten; hdd-speicher; drehende festplatten; rotierende festplatten; drehende platte; mechanischen platten; mechanischen festplatten; klassische festplatte; magnetische platten; spinnende platten; herkömmliche festplatte; drehenden festplatten",
        "hdd",
    ),
    Terms(
        Kind.SPOT,
        "spot-knoten; spot-instanz; spot-instanzen; spotinstanzen; spotinstanz; spot-nodes; spot-maschinen; spot-vms; unterbrechbar*; verdrängbar*; präemptib*; preemptible*; spot-kapazität; präemptiv*; spot-server; spot-rechner; spotknoten; spot-hosts; preemptible-knoten; abrufbare spot-knoten; preemptible-nodes; preemptible-instanzen; spot-node; spot-host; spot-kapazitäten; spot instanzen; spot knoten",
    ),
    Terms(
        Kind.SPOT,
        "(unterbrochen|verdrängt|entzogen|weggenommen|gekillt|abgeräumt|abgeschossen|rausgeworfen|rausgeschmissen|abgezogen) (werden|wird|würde|); unterbrechung; unterbrechungen; verdrängung",
        "event",
    ),
    Terms(
        Kind.ON_DEMAND,
        "on-demand-knoten; on-demand-instanzen; on-demand-nodes; auf abruf; on-demand-maschinen; on-demand-kapazität; on-demand-server; on-demand-instanz; on-demand-hosts; on-demand knoten; on-demand instanzen",
    ),
    Terms(
        Kind.ARCH,
        "arm-knoten; arm-prozessor; arm-prozessoren; arm-maschinen; arm64-knoten; arm-architektur; arm-server; arm64-maschinen; arm-cpu; arm-cpus; graviton-knoten; arm64-architektur; arm-rechner; graviton-instanzen; arm64-nodes; arm-nodes",
        "arm64",
    ),
    Terms(
        Kind.ARCH,
        "x86-knoten; intel-prozessor; intel-prozessoren; x86-maschinen; amd64-knoten; x86-architektur; x86-server; intel-cpu; intel-cpus; x86-cpus; intel-knoten; x86-prozessoren; amd64-architektur; x86-nodes; x86-rechner; amd64-nodes; x86-cpu",
        "amd64",
    ),
    Terms(
        Kind.IDLE,
        "(am wenigsten|wenig|weniger|gering|kaum|schwach|gar nicht|möglichst wenig|niedrig|geringst|leicht|am geringsten|am schwächsten) (ausgelastet*|belastet*|beladen*|genutzt*|belegt*|beschäftigt*|last|voll|auslastung|belegung|los|gefüllt*|traffic|frequentiert*|benutzt*|beansprucht*); (geringst*|niedrigst*|kleinst*|wenig|geringer|niedriger|geringen|niedrigen|geringe|niedrige|weniger|minimaler|minimale|minimalen|möglichst wenig|möglichst geringer|möglichst niedriger) (last|auslastung|belastung|belegung|cpu-last|knotenlast|systemlast|grundlast); ruhig*; untätig*; idle; unterausgelastet*; unausgelastet*; (noch |mit |am meisten |viel |genug |ausreichend |mit viel |mit genug |mit ausreichend |freier |reichlich |mit reichlich |mehr |)(luft|freie kapazität|freien kapazitäten|freie ressourcen|freien ressourcen|freier kapazität|spielraum|kapazität frei|reserven|freie kapazitäten|kapazitätsreserven|kapazitätsreserve|headroom); am leersten; leerste*; nicht (so |zu |schon |bereits |ganz |allzu |sehr |völlig |)(überlastet*|ausgelastet*|voll|überfüllt*|stark belastet*|beschäftigt*|überbucht*|am limit|stark ausgelastet*|überladen*|am anschlag|gestresst*|belastet*|vollgestopft*); am freiesten; freieste*; unterbelegt*; unbelastet*; unbelegt*; leer steh*; wo wenig los ist; (wenig|nichts|kaum etwas|kaum was|am wenigsten|gerade nichts) zu tun; (nichts|wenig|nicht viel|kaum etwas|kaum was|am wenigsten) los; langweil*; leerlauf; däumchen dreh*; frei hat; viel frei; noch frei; am meisten frei; (noch |am meisten |viel |genug |)(platz|kapazität|kapazitäten|ressourcen) (frei|übrig|hat|haben); wo am wenigsten los ist; entspannt*; wenigsten pods; wenigsten workloads; schwach belegt*",
    ),
    Terms(
        Kind.BUSY,
        "überlastet*; ausgelastet*; überbucht*; überfüllt*; belastet*; voll*; am limit; stark ausgelastet*; stark belastet*; hoch ausgelastet*; vollbeladen*; überladen*; gestresst*; hohe last; hoher last; heiß*; heiss*; beschäftigt*; belebt*; laut*; am anschlag; vielbeschäftigt*; ausgebucht*",
    ),
    Terms(
        Kind.PACKED,
        "auffüll*; voll mach*; voll machen; vollmach*; volllad*; voll belegen; auslasten; ausnutz*; aufgefüllt*; vollpack*; vollgepackt*; dicht gepackt*; dicht packen; packe dicht; pack dicht; am vollsten; vollste*; am meisten (ausgelastet*|belegt*|genutzt*|gefüllt*|belastet*); meist* (ausgelastet*|belegt*|genutzt*|gefüllt*); am stärksten (ausgelastet*|belegt*|genutzt*|gefüllt*|belastet*); (bereits|schon) (genutzt*|benutzt*|verwendet*|belegt*|laufend*|in benutzung|in gebrauch|genutzte*|angefangen*|teilweise*|teilbelegt*|laufen|angebrochen*|in verwendung|gestartet*|halbvoll*|gut gefüllt*); teilbelegt*; teilgefüllt*; halbvoll*; angebrochen*; halb (voll*|leer*|gefüllt*|belegt*); gut gefüllt*; gut ausgelastet*; füll*; füll* auf; bin-packing; binpacking; bin-pack*; binpack*; verdicht*; dichte packung; keine neuen (knoten|maschinen|server|rechner|nodes) (aufmach*|öffn*|start*|anfang*|anbrech*|hochfahr*|einschalt*|); ohne neue (knoten|maschinen|server|nodes); bestehende knoten; vorhandene knoten; bestehenden knoten; bestehende nodes; kompakt gepackt; kompakt; (lass*|halt*) (andere |ganze |die anderen |übrige |die übrigen |restliche |leere |)(knoten|maschinen|server|nodes|rechner) (frei|leer)",
    ),
    Terms(
        Kind.EMPTY,
        "leer; leere; leeren; leerer; leeres; frische; frischen; unbenutzt*; ungenutzt*; neuen knoten; neuer knoten",
    ),
    Terms(
        Kind.CACHED,
        "gecacht*; gecached*; gecachet*; im cache; zwischengespeichert*; (schon|bereits) (liegt|liegen|da ist|da sind|vorhanden|heruntergeladen|geladen|gezogen|lokal|im cache|vorliegt|vorliegen|da|gepullt|runtergeladen|auf der platte|auf platte|vorgeladen*|zwischengespeichert*|gecacht*|gecached*|gespeichert*|hat|haben|verfügbar|gelagert|gezogen*|geladen*|heruntergeladen*|vorliegend*|vorhanden*|gespeichert*|lokal vorhanden*|runtergeladen*|draufhaben|drauf haben|gezogen haben|geladen haben|besitzen); vorgeladen*; vorhanden ist; vorhanden sind; heruntergeladen; vorgehalten; im lokalen cache; lokal vorliegt; lokal vorliegen; lokal liegt; lokal liegen; warm; warmer cache; warmem cache; nicht (erneut|neu|nochmal|noch mal|wieder|noch einmal|erst|extra|mehr) (herunterlad*|heruntergeladen|laden|geladen|gezogen|ziehen|lädt|gepullt|pullen|runterlad*|runtergeladen); vorab geladen; vorrätig; parat; modellcache; modell-cache; ohne (erneut*|neuen|nochmaligen) download",
    ),
    Terms(
        Kind.MODEL,
        "modell; modells; modelle; gewichte; gewichten; modellgewichte; modellgewichten; image; images; abbild; checkpoint; checkpoints; modell-image; modell-gewichte; modelldateien; modelldaten; container-image; containerimage",
    ),
    Terms(
        Kind.HIGH,
        "ohne ende; nicht zu knapp; groß*; gross*; viel; viele; vielen; hoh*; hoch*; stark*; kräftig*; leistungsstark*; leistungsfähig*; mächtig*; reichlich; jede menge; massig; große mengen; riesig*; großzügig*; üppig*; fett*; dick*; intensiv*; lastig*; hungrig*; hochperforman*; performan*; ordentlich*; anständig*; satt*; jede menge; möglichst viel; mehr; maximal viel; potent*; enorm*; haufenweise; eine menge; menge; mengen; schwer*; power; hochleistungs*; durchsatzstark*; breit*; gewaltig*; starkes; mords*; massiv*; umfangreich*; hohem; hohen; höchst*; größt*; anspruchsvoll*",
        "high",
    ),
    Terms(
        Kind.HIGH,
        "hochgeschwindigkeit; highspeed; high-speed; schnell*; flott*; zügig*; schnellst*; blitzschnell*; rasant*",
        "speed",
    ),
    Terms(
        Kind.LOW,
        "klein*; wenig; wenige; gering*; bescheiden*; niedrig*; schwach*; langsam*; kaum; minimal*; winzig*; schmal*; sparsam*; leichtgewichtig*; mäßig*; schlank*; ein bisschen; bisschen",
        "low",
    ),
)
