"""Spanish: what nodes have, and how nodes are."""

from __future__ import annotations

from berth_intent.language.kinds import Kind
from berth_intent.language.lexicon.terms import Terms

WORDS: tuple[Terms, ...] = (
    Terms(
        Kind.LEVEL,
        "nodo; máquina; servidor; equipo físico; ordenador; computadora; anfitrión; maquina; host físico; nodo trabajador; nodo de trabajo; servidor físico; máquina física; nodo físico; nodo de cómputo; máquina virtual",
        "node",
    ),
    Terms(
        Kind.LEVEL,
        "nodos; máquinas; servidores; ordenadores; computadoras; anfitriones; maquinas; nodos trabajadores; nodos de trabajo; servidores físicos; máquinas físicas; nodos físicos; nodos de cómputo; máquinas virtuales; equipos",
        "node",
        plural=True,
    ),
    Terms(Kind.LEVEL, "armario; bastidor; estante; gabinete", "rack"),
    Terms(Kind.LEVEL, "armarios; bastidores; estantes; gabinetes", "rack", plural=True),
    Terms(Kind.LEVEL, "zona; zona de disponibilidad; dominio de fallo", "zone"),
    Terms(Kind.LEVEL, "zonas; zonas de disponibilidad; dominios de fallo", "zone", plural=True),
    Terms(Kind.LEVEL, "región; centro de datos; país; región geográfica", "region"),
    Terms(Kind.LEVEL, "regiones; centros de datos; países; regiones geográficas", "region", plural=True),
    Terms(
        Kind.MARK,
        "servicio; servicios; despliegue; despliegues; aplicación; aplicaciones; app; apps; carga llamada; trabajo; trabajos; pods de; contenedor; contenedores; proceso; procesos; tarea; tareas; microservicio; microservicios; llamado; llamada; el servicio de; agente",
    ),
    Terms(
        Kind.RESOURCE,
        "procesador; procesadores; núcleo; núcleos; cómputo; potencia de cálculo; potencia de cómputo; poder de cómputo; capacidad de cómputo; potencia; capacidad de cálculo; núcleos de cpu; cores; core; hilos; procesamiento; poder de procesamiento; capacidad de procesamiento; potencia de procesamiento; vcpus",
        "cpu",
    ),
    Terms(Kind.RESOURCE, "memoria; memoria ram; memoria principal; ram", "memory"),
    Terms(
        Kind.RESOURCE,
        "disco; discos; almacenamiento; almacenamiento efímero; almacenamiento temporal; almacenamiento local; disco temporal; disco local; espacio temporal; espacio en disco; espacio de disco; espacio scratch; espacio de scratch; scratch; disco efímero; espacio de almacenamiento; espacio efímero; espacio local; espacio de trabajo temporal; ficheros temporales; archivos temporales; temporal; espacio de trabajo; almacenamiento scratch; unidad; unidades; espacio para temporales; disco scratch; disco de scratch",
        "ephemeral",
    ),
    Terms(
        Kind.RESOURCE,
        "red; ancho de banda; enlace; enlaces; conexión; conexiones; conexión de red; tarjeta de red; velocidad de red; conectividad; interfaz de red; tarjetas de red; caudal; redes; enlace de red",
        "network",
    ),
    Terms(
        Kind.DEVICE_MEMORY, "memoria de gpu; memoria gpu; memoria de vídeo; memoria gráfica; vram; memoria de la gpu"
    ),
    Terms(
        Kind.GPU,
        "tarjeta gráfica; gráfica; acelerador; aceleradora; tarjeta nvidia; acelerador gráfico; tarjeta aceleradora; procesador gráfico; tarjeta gpu; tarjeta de vídeo; tarjeta de video; placa de video; placa de vídeo; placa gráfica; placa nvidia; tarjeta grafica; unidad de procesamiento gráfico",
    ),
    Terms(
        Kind.GPU,
        "solo cpu; sólo cpu; nodos cpu; nodos de cpu; nodos sin gpu; solamente cpu; únicamente cpu; nodo sin gpu; máquinas sin gpu; nodos solo cpu",
        "without",
    ),
    Terms(
        Kind.GPU,
        "tarjetas gráficas; gráficas; aceleradores; aceleradoras; tarjetas nvidia; aceleradores gráficos; tarjetas aceleradoras; placas de video; placas de vídeo; placas gráficas; tarjetas de vídeo; tarjetas de video; procesadores gráficos; tarjetas gpu",
        plural=True,
    ),
    Terms(
        Kind.STORAGE,
        "disco sólido; discos sólidos; estado sólido; disco de estado sólido; discos de estado sólido; unidad de estado sólido; unidades de estado sólido; disco ssd; discos ssd; almacenamiento ssd; unidad ssd; unidades ssd; memoria flash; almacenamiento flash; almacenamiento de estado sólido; almacenamiento en ssd",
        "ssd",
    ),
    Terms(
        Kind.STORAGE,
        "disco nvme; discos nvme; almacenamiento nvme; unidades nvme; unidad nvme; ssd nvme; disco local nvme; discos locales nvme",
        "nvme",
    ),
    Terms(
        Kind.STORAGE,
        "disco duro; discos duros; disco mecánico; discos mecánicos; disco magnético; discos magnéticos; discos giratorios; disco hdd; discos hdd; discos rotacionales; almacenamiento hdd; disco giratorio; discos rotatorios",
        "hdd",
    ),
    Terms(
        Kind.SPOT,
        "instancias spot; instancia spot; nodos spot; nodo spot; máquinas spot; interrumpible; interrumpibles; expropiable; expropiables; preemptible; preemptibles; nodos preemptibles; nodos interrumpibles; instancias interrumpibles; capacidad spot; nodos preemptivos; instancias preemptibles; máquinas preemptibles; máquina spot; desalojables; máquinas interrumpibles; servidores spot",
    ),
    Terms(
        Kind.SPOT,
        "interrumpa; interrumpan; interrumpirnos; interrumpirlo; interrumpid*; interrupciones; desalojo; desalojos; desaloj*; nos (quiten|echen|interrumpan|expulsen|corten|maten); expropi*",
        "event",
    ),
    Terms(
        Kind.ON_DEMAND,
        "bajo demanda; nodos bajo demanda; instancias bajo demanda; capacidad bajo demanda; a demanda; instancias a demanda; nodos a demanda; máquinas bajo demanda",
    ),
    Terms(
        Kind.ARCH,
        "procesadores arm; procesador arm; arquitectura arm; arquitectura arm64; máquinas arm; nodos arm; cpu arm",
        "arm64",
    ),
    Terms(
        Kind.ARCH,
        "procesadores intel; arquitectura x86; arquitectura amd64; máquinas x86; nodos x86; procesador intel; procesadores x86",
        "amd64",
    ),
    Terms(
        Kind.IDLE,
        "menos (jaleo|lío|ruido|movimiento|tráfico|follón|trajín|carga|trabajo|faena); (menos|poco|ligeramente|apenas|lo menos) (cargad*|ocupad*|utilizad*|usad*|carga|congestionad*|saturad*|llen*|estresad*|ajetread*); ocios*; tranquil*; inactiv*; libres de carga; holgad*; (con|que tengan|que tenga|tengan|tenga|con más|con mucha|con mayor|con bastante|con suficiente) (holgura|capacidad libre|margen|espacio libre|recursos libres|hueco|capacidad sobrante|capacidad disponible|menos carga|poca carga|baja carga|la menor carga|recursos disponibles); menor carga; baja carga; poca carga; más libre; más libres; más vacío; más vacíos; más desocupad*; desocupad*; infrautilizad*; subutilizad*; no (esté|estén|sea|está|están|tan|muy|demasiado|) (tan |muy |demasiado |) (sobrecargad*|ocupad*|saturad*|cargad*|llen*|congestionad*|a tope|estresad*); menos saturad*; con menos pods; menos trabajo; capacidad libre; más capacidad libre; recursos libres; más recursos libres; holgura; margen",
    ),
    Terms(
        Kind.BUSY,
        "sobrecargad*; saturad*; ocupad*; cargad*; llenos; lleno; llena; llenas; abarrotad*; congestionad*; a tope; colapsad*; estresad*; ruidos*; muy cargad*; ajetread*",
    ),
    Terms(
        Kind.PACKED,
        "llenar; llenad; llenen; llenéis; llenemos; llenando; llene; llena (los|las|primero|bien); aprovech* ~ (nodos|máquinas|servidores) (ya |); más llen*; más ocupad*; más utilizad*; más usad*; más cargad*; ya en uso; ya usad*; ya ocupad*; ya utilizad*; que ya están en uso; que ya estén en uso; que ya se usan; que ya se estén usando; ya están en uso; en uso; rellen*; llena los; llenar; aprovecha los nodos; nodos ya en uso; nodos existentes; parcialmente ocupad*; parcialmente llen*; medio llen*; no abras nodos; sin abrir nodos; sin arrancar nodos nuevos; no arranques nodos nuevos; no enciendas; bin packing; bin-packing; ya arrancad*; compacta los nodos; empaquetado denso; densamente; completa los nodos; (deja*|libera*|mantén*|manten*|dejando|liberar) (otros |los demás |nodos |el resto |máquinas |los otros |) (nodos |máquinas |) (libres|vacíos|enteros|vacías)",
    ),
    Terms(Kind.EMPTY, "vacío; vacíos; vacía; vacías; sin usar; nuevos; nuevo"),
    Terms(
        Kind.CACHED,
        "en caché; en cache; (ya |)(los|las|lo|la) (tenga|tengan|tiene|tienen) (ya |)(descargad*|bajad*|cachead*|cargad*|en caché|en cache|en disco); cachead*; ya descargad*; descargad*; ya está; ya están; ya estén; ya esté; ya cargad*; precargad*; ya presente; ya presentes; en la caché; tenga en caché; tienen en caché; ya en caché; ya en disco; ya en local; ya guardad*; almacenad* en caché; caché caliente; ya disponible; ya tenga; ya tengan; ya tienen; ya tiene; ya exista; ya existan; no (haya|tener|tengamos|tenga) que (volver a |) (descargar*|bajar*); sin (volver a |) (descargar*|bajar*); evit* (volver a |) descarg*; cargad* en local",
    ),
    Terms(
        Kind.MODEL,
        "modelo; modelos; pesos; imagen; imágenes; pesos del modelo; imagen del modelo; el modelo; los pesos; checkpoint",
    ),
    Terms(
        Kind.HIGH,
        "intensiv*; gord*; bestia*; pepino; maquinón; a tope; a lo bestia; a saco; a raudales; a montones; de sobra; a lo grande; grande; grandes; gran; mucho; mucha; muchos; muchas; potente; potentes; alto; alta; altos; altas; elevad*; abundante; abundantes; enorme; enormes; bastante; bastantes; fuerte; fuertes; más; mayor; mayores; intensiv*; de alto rendimiento; alto rendimiento; robust*; ampli*; generos*; buena cantidad de; gran cantidad de; un montón de; montones de; mucha cantidad de; grandes cantidades de; hambrient*; exigente; exigentes; gama alta; de gama alta; poderos*; voraz; máxima; máximo rendimiento; ingente; de sobra; con mucha; a raudales; potentísim*",
        "high",
    ),
    Terms(
        Kind.HIGH,
        "rápido; rápida; rápidos; rápidas; veloz; veloces; de alta velocidad; alta velocidad; rapidísim*",
        "speed",
    ),
    Terms(
        Kind.LOW,
        "pequeño; pequeña; pequeños; pequeñas; poco; poca; modest*; baja; bajo; bajos; bajas; lent*; liger*; mínim*; reducid*; escas*; menor; débil; débiles; chico; chica; chicos; poquita; poquito; un poco de",
        "low",
    ),
)
