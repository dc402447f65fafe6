package main

import (
	"flag"
	"os"
	"sync"

	"github.com/cloudnativelabs/kube-router/v2/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/v2/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/v2/pkg/options"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// enforcePolicies makes NetworkPolicies hold on this node, for ever: kube-router's controller of
// them, without its router and its proxy.
func enforcePolicies() {
	config := options.NewKubeRouterConfig()
	config.EnableIPv4 = true
	flag.StringVar(&config.Kubeconfig, "kubeconfig", "", "how the API is reached")
	flag.StringVar(&config.HostnameOverride, "node", "", "the node's name")
	flag.StringVar(&config.ClusterIPCIDRs[0], "services", config.ClusterIPCIDRs[0], "addresses of Services")
	flag.Parse()

	access, err := clientcmd.BuildConfigFromFlags("", config.Kubeconfig)
	endOn(err)
	client, err := kubernetes.NewForConfig(access)
	endOn(err)
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods().Informer()
	namespaces := factory.Core().V1().Namespaces().Informer()
	policies := factory.Networking().V1().NetworkPolicies().Informer()
	never := make(chan struct{})
	factory.Start(never)
	factory.WaitForCacheSync(never)

	tables, sets, err := netpol.NewIPTablesHandlers(config)
	endOn(err)
	var oneAtATime sync.Mutex
	controller, err := netpol.NewNetworkPolicyController(
		client, config, pods, policies, namespaces, &oneAtATime, tables, sets)
	endOn(err)
	for informer, handler := range map[cache.SharedIndexInformer]cache.ResourceEventHandler{
		pods:       controller.PodEventHandler,
		namespaces: controller.NamespaceEventHandler,
		policies:   controller.NetworkPolicyEventHandler,
	} {
		_, err = informer.AddEventHandler(handler)
		endOn(err)
	}

	signsOfLife := make(chan *healthcheck.ControllerHeartbeat, 1)
	var running sync.WaitGroup
	running.Add(1)
	go controller.Run(signsOfLife, never, &running)
	for range signsOfLife {
		// The node's own start looks after its processes.
	}
}

func endOn(err error) {
	if err != nil {
		klog.ErrorS(err, "NetworkPolicies cannot be enforced")
		klog.Flush()
		os.Exit(1)
	}
}
